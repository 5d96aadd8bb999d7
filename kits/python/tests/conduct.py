"""A driver that does what its tests want: fails in each way, is slow, counts. Content is in memory."""

from __future__ import annotations

import threading
from typing import Any, Dict, Iterable, Iterator, List, Optional

import storagedriver_kit as kit
from storagedriver_kit import Content, EntryKind, FileInfo, UploadInfo, WalkOrder

#: What `/fail/<name>` raises.
FAILURES: Dict[str, kit.StorageError] = {
    "path-not-found": kit.PathNotFound(),
    "invalid-path": kit.InvalidPath("why"),
    "invalid-offset": kit.InvalidOffset(7, 3),
    "conflict": kit.Conflict("why"),
    "unsupported": kit.Unsupported("why"),
    "permission-denied": kit.PermissionDenied("why"),
    "unauthenticated": kit.Unauthenticated("why"),
    "out-of-space": kit.OutOfSpace("why"),
    "throttled": kit.Throttled("why", retry_after=1.5),
    "unavailable": kit.Unavailable("why"),
    "corrupted": kit.Corrupted("why"),
    "backend": kit.BackendError("why", path="/another"),
    "invalid-parameter": kit.InvalidParameter("bucket", "why"),
    "invalid-configuration": kit.InvalidConfiguration("why"),
}


class Conduct(kit.StorageDriver):
    """The driver."""

    lacking = ("shared", "durable")
    path_limit = 600
    component_limit = 200
    key_prefix = "prefix/"

    def __init__(self, parameters: kit.Parameters) -> None:
        self.password = parameters.text("password", "none")
        if parameters.pop("refuse", None):
            raise kit.InvalidParameter("refuse", f"{self.password} is not liked")
        self.given = dict(parameters)
        self.contents: Dict[str, bytes] = {}
        self.log: List[str] = []
        self.released = threading.Event()

    def reader(
        self, path: str, offset: int = 0, length: Optional[int] = None, version: Optional[str] = None
    ) -> Content:
        name = path.rsplit("/", 1)[-1]
        if path == "/given":
            return self._whole(repr(sorted(self.given.items())).encode())
        if path == "/log":
            return self._whole("\n".join(self.log).encode())
        if path.startswith("/fail/"):
            raise FAILURES[name]
        if path == "/secret":
            try:
                raise OSError(f"connect with {self.password}")
            except OSError as error:
                raise kit.Unavailable(f"cannot log in with {self.password}") from error
        if path == "/bug":
            raise ValueError(f"a bug at {self.password}")
        if path == "/long":
            raise kit.BackendError("ä" * 100_000)
        if path == "/endless":
            return Content(1 << 60, self._endless(), "v", lambda: self.log.append("closed"))
        if path not in self.contents:
            raise kit.PathNotFound(path)
        return self._whole(self.contents[path])

    def _whole(self, content: bytes) -> Content:
        return Content(len(content), [content])

    def _endless(self) -> Iterator[bytes]:
        count = 0
        while True:
            count += 1
            self.contents["/count"] = str(count).encode()
            yield bytes(1 << 20)

    def put_content(self, path: str, content: bytes) -> None:
        if content == b"slow":
            self.log.append("slow begins")
            self.released.wait()
            self.released.clear()
        self.contents[path] = content
        if content == b"slow":
            self.log.append("slow ends")
        if path == "/release":
            self.released.set()

    def writer(self, path: str, append: bool) -> kit.Writer:
        return Recorder(self, path)

    def stat(self, path: str) -> FileInfo:
        return FileInfo(path, EntryKind.DIRECTORY)

    def list(self, path: str) -> Iterable[FileInfo]:
        names = ["b", "a"] if path == "/unsorted" else []
        return [FileInfo(f"{path}/{name}", EntryKind.DIRECTORY) for name in names]

    def walk(self, path: str, order: WalkOrder, start_after: str = "") -> Iterator[FileInfo]:
        # A generator has no `skip`: the kit leaves out what was skipped.
        for first in range(10):
            yield FileInfo(f"/d{first}", EntryKind.DIRECTORY)
            for second in range(100):
                self.log.append(f"d{first}/f{second}")
                yield FileInfo(f"/d{first}/f{second:02}", EntryKind.FILE, 1, 1)

    def rename(self, source: str, destination: str) -> None:
        raise kit.PathNotFound(source)

    def delete(self, path: str) -> None:
        if path == "/log":
            self.log.clear()
        else:
            del self.contents[path]

    def uploads(self, below: str) -> Iterable[UploadInfo]:
        return []

    def abort_upload(self, upload: UploadInfo) -> None:
        self.log.append(f"abort {upload}")

    def redirect_url(self, path: str, request: kit.RedirectRequest) -> Optional[str]:
        if request.method == "GET":
            return f"https://example.test{path}?{request.headers['host']}&{request.client_address}&{request.expiry}"
        return None


class Recorder(kit.Writer):
    """Refuses each chunk that begins with `no` once, and tells what was called."""

    def __init__(self, driver: Conduct, path: str) -> None:
        self.driver = driver
        self.path = path
        self.content = b""
        self.refused: List[bytes] = []

    @property
    def size(self) -> int:
        return len(self.content)

    def write(self, chunk: bytes) -> None:
        if chunk.startswith(b"no") and chunk not in self.refused:
            self.refused.append(chunk)
            raise kit.OutOfSpace("full")
        self.content += chunk

    def close(self) -> int:
        self.driver.log.append("close")
        return self.size

    def commit(self) -> None:
        if self.path == "/uncommitted":
            raise kit.Conflict("late")
        self.driver.contents[self.path] = self.content

    def cancel(self) -> None:
        self.driver.log.append("cancel")

    def drop(self) -> None:
        self.driver.log.append(f"drop {self.path} at {self.size}")


def make(parameters: kit.Parameters) -> Any:
    return Conduct(parameters)


if __name__ == "__main__":
    kit.serve(Conduct, "conduct", "1.2.3", secrets=["password"])
