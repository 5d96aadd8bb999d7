"""A host for tests: starts a driver's executable and speaks the protocol with it, as its page says, with nothing of the kit
but the generated code.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List

import grpc
from google.rpc import status_pb2

from storagedriver_kit._proto import driver_pb2 as pb
from storagedriver_kit._proto import driver_pb2_grpc

KIT = Path(__file__).resolve().parent.parent
EXAMPLE = KIT / "examples" / "registry-storage-pyfs"
TYPE = "type.googleapis.com/storagedriver.v1.Error"
MIB = 1024 * 1024

#: How long anything may take here, in seconds. Only what hangs reaches it.
PATIENCE = 60.0


def error_of(failure: grpc.RpcError) -> pb.Error:
    """The error in the details of a call that failed."""
    for key, value in failure.trailing_metadata():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            assert status.code == failure.code().value[0], (status.code, failure.code())
            assert status.message == failure.details(), (status.message, failure.details())
            [detail] = [detail for detail in status.details if detail.type_url == TYPE]
            return pb.Error.FromString(detail.value)
    raise AssertionError(f"no details: {failure}")


def value(given: Any) -> pb.Value:
    if given is None:
        return pb.Value()
    if isinstance(given, bool):
        return pb.Value(boolean=given)
    if isinstance(given, int):
        return pb.Value(integer=given)
    if isinstance(given, float):
        return pb.Value(number=given)
    if isinstance(given, str):
        return pb.Value(text=given)
    if isinstance(given, list):
        return pb.Value(list=pb.ValueList(values=[value(part) for part in given]))
    return pb.Value(map=pb.ValueMap(values={name: value(part) for name, part in given.items()}))


def environment(**more: str) -> Dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(KIT), "PYTHONDONTWRITEBYTECODE": "1", **more}


class Host:
    """One driver that runs. To be used in `with`."""

    def __init__(self, program: Path = EXAMPLE, **parameters: Any) -> None:
        self.parameters = parameters
        self.directory = tempfile.mkdtemp(prefix="kit-")
        self.socket = os.path.join(self.directory, "s")
        self.log = open(os.path.join(self.directory, "log"), "w+b")
        self.process = subprocess.Popen(
            [sys.executable, str(program)],
            stdin=subprocess.PIPE,
            stdout=self.log,
            stderr=self.log,
            env=environment(STORAGEDRIVER_SOCKET=self.socket, STORAGEDRIVER_LIFELINE="stdin"),
            start_new_session=True,
        )
        self.channel = grpc.insecure_channel(
            f"unix:{self.socket}",
            options=[("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 50)],
        )
        try:
            grpc.channel_ready_future(self.channel).result(PATIENCE)
        except grpc.FutureTimeoutError:
            self.close()
            raise AssertionError("the driver does not listen") from None
        self.call = driver_pb2_grpc.StorageDriverStub(self.channel)

    def __enter__(self) -> Host:
        self.negotiate(1, 1)
        self.open(**self.parameters)
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self.channel.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory)

    def logged(self) -> str:
        self.log.seek(0)
        return self.log.read().decode()

    def negotiate(self, least: int, most: int) -> pb.NegotiateReply:
        request = pb.NegotiateRequest(min_version=least, max_version=most, program="test 0", capabilities=["new"])
        return self.call.Negotiate(request, timeout=PATIENCE)

    def open(self, **parameters: Any) -> pb.OpenReply:
        messages = {name: value(given) for name, given in parameters.items()}
        return self.call.Open(pb.OpenRequest(driver="x", parameters=messages), timeout=PATIENCE)

    def get(self, path: str) -> bytes:
        return content_of(self.call.GetContent(pb.GetContentRequest(path=path), timeout=PATIENCE))

    def read(self, path: str, **more: Any) -> bytes:
        return content_of(self.call.Read(pb.ReadRequest(path=path, **more), timeout=PATIENCE))

    def put(self, path: str, content: bytes) -> None:
        self.call.PutContent(iter(puts(path, content)), timeout=PATIENCE)

    def stat(self, path: str) -> pb.FileInfo:
        return self.call.Stat(pb.StatRequest(path=path), timeout=PATIENCE).info

    def list(self, path: str) -> List[pb.FileInfo]:
        replies = self.call.List(pb.ListRequest(path=path), timeout=PATIENCE)
        return [info for reply in replies for info in batch_of(reply)]

    def uploads(self, below: str = "/") -> List[pb.UploadInfo]:
        replies = self.call.Uploads(pb.UploadsRequest(below=below), timeout=PATIENCE)
        return [upload for reply in replies for upload in reply.uploads]

    def write(self, path: str, append: bool = False) -> Write:
        return Write(self, path, append)

    def walk(self, path: str = "/", tree: bool = False, start_after: str = "", credit: int = 100_000) -> Walk:
        return Walk(self, path, tree, start_after, credit)


def puts(path: str, content: bytes) -> Iterator[pb.PutContentRequest]:
    pieces = [content[start : start + MIB] for start in range(0, len(content), MIB)] or [b""]
    for place, piece in enumerate(pieces):
        yield pb.PutContentRequest(path=path if place == 0 else "", data=piece, last=place == len(pieces) - 1)


def batch_of(reply: Any) -> List[pb.FileInfo]:
    assert 0 < len(reply.entries) <= 1000 and reply.ByteSize() <= 2 * MIB, (len(reply.entries), reply.ByteSize())
    return list(reply.entries)


def content_of(replies: Iterable[pb.ContentReply]) -> bytes:
    pieces = []
    for place, reply in enumerate(replies):
        assert reply.HasField("head") == (place == 0), "the head is in the first reply, and only there"
        assert len(reply.data) <= MIB and (reply.data or place == 0), len(reply.data)
        pieces.append(reply.data)
    assert pieces, "no reply"
    return b"".join(pieces)


class Requests:
    """What is sent in a call that goes both ways."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._requests: List[Any] = []
        self._ended = False

    def send(self, request: Any) -> None:
        with self._ready:
            self._requests.append(request)
            self._ready.notify()

    def end(self) -> None:
        with self._ready:
            self._ended = True
            self._ready.notify()

    def __iter__(self) -> Iterator[Any]:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._requests or self._ended)
                if not self._requests:
                    return
                request = self._requests.pop(0)
            yield request


class Write:
    """An upload, step by step."""

    def __init__(self, host: Host, path: str, append: bool) -> None:
        self.requests = Requests()
        self.replies = host.call.Write(iter(self.requests), timeout=PATIENCE)
        mode = pb.WRITE_MODE_APPEND if append else pb.WRITE_MODE_CREATE
        self.requests.send(pb.WriteRequest(open=pb.WriteOpen(path=path, mode=mode)))
        try:
            self.size = next(self.replies).opened.size
        except BaseException:
            self.requests.end()
            raise

    def send(self, sequence: int, *pieces: bytes) -> None:
        for place, piece in enumerate(pieces):
            chunk = pb.WriteChunk(sequence=sequence, data=piece, last=place == len(pieces) - 1)
            self.requests.send(pb.WriteRequest(chunk=chunk))

    def chunk(self, sequence: int, *pieces: bytes) -> pb.WriteReply:
        self.send(sequence, *pieces)
        return next(self.replies)

    def ending(self, ending: int) -> int:
        self.requests.send(pb.WriteRequest(ending=ending))
        return self.end()

    def end(self) -> int:
        """The size in the last reply, once the call is over."""
        with contextlib.closing(self):
            last = [reply.ended.size for reply in self.replies if reply.HasField("ended")]
            return last[-1]

    def close(self) -> None:
        self.requests.end()

    def finish_close(self) -> int:
        return self.ending(pb.WRITE_ENDING_CLOSE)

    def finish_commit(self) -> int:
        return self.ending(pb.WRITE_ENDING_COMMIT)

    def cancel_call(self) -> None:
        """The host drops the call."""
        self.replies.cancel()
        self.requests.end()


class Walk:
    """A walk, step by step."""

    def __init__(self, host: Host, path: str, tree: bool, start_after: str, credit: int) -> None:
        self.requests = Requests()
        self.replies = host.call.Walk(iter(self.requests), timeout=PATIENCE)
        order = pb.WALK_ORDER_TREE if tree else pb.WALK_ORDER_KEY
        start = pb.WalkStart(path=path, order=order, start_after=start_after, credit=credit)
        self.requests.send(pb.WalkRequest(start=start))

    def more(self, credit: int) -> None:
        self.requests.send(pb.WalkRequest(more=pb.WalkMore(credit=credit)))

    def skip(self, path: str) -> None:
        self.requests.send(pb.WalkRequest(skip=pb.WalkSkip(path=path)))

    def entries(self) -> Iterator[pb.FileInfo]:
        try:
            for reply in self.replies:
                yield from batch_of(reply)
        finally:
            self.requests.end()

    def keys(self) -> List[str]:
        return [key_of(info) for info in self.entries()]


def key_of(info: pb.FileInfo) -> str:
    if info.kind == pb.ENTRY_KIND_DIRECTORY:
        return info.path + "/"
    assert info.HasField("size") and info.HasField("modified"), info
    return info.path


def by_hand(program: Path, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
    """Starts a driver as a user would."""
    return subprocess.Popen(
        [sys.executable, str(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**more),
    )
