"""What an author writes: a driver, and its writer."""

from __future__ import annotations

import abc
from typing import Iterable, Iterator, List, Optional

from .errors import Unsupported
from .model import Content, FileInfo, Finding, RedirectRequest, UploadInfo, WalkOrder
from .walk import ListWalk


class Writer(abc.ABC):
    """An upload under way. The kit calls one method at a time, `close`, `commit` or `cancel` at most once and as the last but
    `drop`.
    """

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """How many bytes were accepted, those that are still buffered and those that were resumed included."""

    @abc.abstractmethod
    def write(self, chunk: bytes) -> None:
        """Takes the chunk whole, or raises and takes nothing of it. It may be called again after that."""

    @abc.abstractmethod
    def close(self) -> int:
        """Makes what was accepted durable and resumable, from another process too, and gives its size in bytes.

        Raises `Conflict` if another writer that resumed the same upload has ended it.
        """

    @abc.abstractmethod
    def commit(self) -> None:
        """Makes what was accepted the content of the path, in one step, durably. The upload is gone then.

        Raises `Conflict` as `close` does, and if the content that was continued has been replaced. If it fails, it tries to
        leave what was accepted resumable.
        """

    @abc.abstractmethod
    def cancel(self) -> None:
        """Removes every trace of the upload, and leaves the content of the path."""

    def drop(self) -> None:
        """The upload has no ending, or its ending failed: lets go of files and connections. Publishes nothing, and keeps what
        the last `close` made durable. Not called after an ending that succeeded.
        """


class StorageDriver(abc.ABC):
    """A driver. The contract of each operation, in all its sentences, is `docs/contract.md`; what is said here is the least
    that an author has to know.

    Methods are called by several threads at once. They may block. Paths keep the grammar and the limits. What goes wrong is
    raised as one of the errors of this package. A method whose call was dropped runs on, and the kit keeps later calls
    on the same paths waiting for it; one that takes long asks `raise_if_dropped` before it publishes.
    """

    #: The promises that the backend cannot keep, by name: `durable`, `shared`, `atomic-replace`, `atomic-rename`,
    #: `independent-uploads`, `fenced-uploads`, `consistent-reads`. Read once, after the driver was made.
    lacking: Iterable[str] = ()

    #: How long a path, and a name in it, may be in bytes. 0: 4,096 and 255.
    path_limit: int = 0
    component_limit: int = 0

    #: Set if the backend keeps a path under a name that its own clients can use: this, and the path without its first `/`.
    key_prefix: Optional[str] = None

    @abc.abstractmethod
    def reader(
        self, path: str, offset: int = 0, length: Optional[int] = None, version: Optional[str] = None
    ) -> Content:
        """The content from `offset` on, at most `length` bytes of it; only of this version, if one is given.

        Raises `PathNotFound` for a directory or nothing, `InvalidOffset` past the end (at the end it is empty), `Conflict`
        for another version. It yields one version, whatever replaces the content meanwhile.
        """

    def get_content(self, path: str) -> Content:
        """All of the content. By default what `reader` gives."""
        return self.reader(path)

    @abc.abstractmethod
    def put_content(self, path: str, content: bytes) -> None:
        """Makes this the content of the path: in one step, durably, with the directories above."""

    @abc.abstractmethod
    def writer(self, path: str, append: bool) -> Writer:
        """Begins an upload, or with `append` resumes the newest that was closed, else continues the content.

        Without `append` it discards the uploads at the path that were closed before. Raises `PathNotFound` if there is nothing
        to continue.
        """

    @abc.abstractmethod
    def stat(self, path: str) -> FileInfo:
        """What is at the path, with size and time. Of the root it asks the backend. Raises `PathNotFound`."""

    @abc.abstractmethod
    def list(self, path: str) -> Iterable[FileInfo]:
        """The direct children, sorted by path, each once. Raises `PathNotFound` for a file or nothing; the root is always
        there.
        """

    def walk(self, path: str, order: WalkOrder, start_after: str = "") -> Iterator[FileInfo]:
        """Every descendant whose key in this order is greater than `start_after`, files with size and time.

        By default built on `list`. Where what is given has a method `skip(path)`, it is called to leave out what is below a
        directory; what comes from there nevertheless the kit leaves out.
        """
        return ListWalk(self, path, order, start_after)

    @abc.abstractmethod
    def rename(self, source: str, destination: str) -> None:
        """Moves a file, replacing what is at the destination. Raises `PathNotFound`, naming the source."""

    @abc.abstractmethod
    def delete(self, path: str) -> None:
        """Removes the path with all below it, uploads included. Raises `PathNotFound` if there is nothing."""

    @abc.abstractmethod
    def uploads(self, below: str) -> Iterable[UploadInfo]:
        """The closed uploads at and below a path, sorted by path. None is no error."""

    @abc.abstractmethod
    def abort_upload(self, upload: UploadInfo) -> None:
        """Removes an upload. Raises `Conflict` if it has moved on since it was listed; that it is gone is no error."""

    def redirect_url(self, path: str, request: RedirectRequest) -> Optional[str]:
        """A URL at which the client does the request itself, or none. A driver that has no URLs leaves this as it is."""
        raise Unsupported("this driver has no URLs")

    def examine(self, scratch: str) -> List[Finding]:
        """Tries what the backend can do, below a path where nothing is, and leaves nothing there. Optional."""
        raise Unsupported("this driver does not examine its backend")

    def health(self) -> None:
        """Raises if the driver does not work. By default it asks for the root."""
        self.stat("/")

    def shut_down(self) -> None:
        """The process ends. There may be less than a second left, and it may never come to this."""
