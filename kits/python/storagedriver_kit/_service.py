"""The service: requests in, a driver's methods, replies out."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any, Awaitable, Callable, Iterable, Iterator, Optional, Tuple, TypeAlias, TypeVar

import grpc

from ._calls import Calls
from ._entries import BATCH, info_message, message_size, upload_from, upload_message
from ._proto import driver_pb2 as pb
from ._proto import driver_pb2_grpc
from ._status import Masker, as_storage_error, broken, status_of
from ._walk_call import walk_call
from ._write_call import write_call
from .driver import StorageDriver
from .errors import BackendError, InvalidConfiguration, StorageError
from .model import Content, RedirectRequest
from .parameters import Parameters, from_messages
from .paths import COMPONENT_LIMIT, PATH_LIMIT, check_path

LOG = logging.getLogger("storagedriver_kit")

#: The versions of the protocol that this kit speaks.
MIN_VERSION = 1
MAX_VERSION = 1

#: The most content of one message, in bytes.
PIECE = 1024 * 1024

T = TypeVar("T")
# `grpc.aio.ServicerContext`; gRPC comes without types.
Context: TypeAlias = Any


def answers(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Ends a call that fails with a status whose details say why."""

    @functools.wraps(method)
    async def answered(self: Service, request: Any, context: Context) -> Any:
        try:
            return await method(self, request, context)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:
            await self.fail(error, context)

    return answered


class Service(driver_pb2_grpc.StorageDriverServicer):
    """One driver, behind the socket."""

    def __init__(
        self,
        factory: Callable[[Parameters], StorageDriver],
        name: str,
        version: str,
        capabilities: Iterable[str],
        secrets: Iterable[str],
        threads: int,
    ) -> None:
        self._factory = factory
        self._name = name
        self.program = f"registry-storage-{name} {version}"
        self._capabilities = sorted(capabilities)
        self._secrets = frozenset(secrets)
        self._opening = asyncio.Lock()
        self._driver: Optional[StorageDriver] = None
        self._reply: Optional[pb.OpenReply] = None
        self.calls = Calls(threads)
        self.mask = Masker()

    @property
    def driver(self) -> StorageDriver:
        if self._driver is None:
            raise broken("the driver is not open; `Open` comes before all calls but `Negotiate`")
        return self._driver

    def path(self, path: str, root_allowed: bool = False) -> str:
        """The path of a request, if the driver may have it."""
        driver = self.driver
        return check_path(
            path,
            root_allowed=root_allowed,
            path_limit=driver.path_limit or PATH_LIMIT,
            component_limit=driver.component_limit or COMPONENT_LIMIT,
        )

    async def fail(self, error: Exception, context: Context) -> None:
        """Ends the call with this error."""
        if not isinstance(error, StorageError):
            # The host gets the message only. Where it happened is for the author of the driver.
            LOG.error("the driver failed unexpectedly", exc_info=error)
        code, text, metadata = status_of(as_storage_error(error), self.mask)
        await context.abort(code, text, metadata)

    @answers
    async def Negotiate(self, request: pb.NegotiateRequest, context: Context) -> pb.NegotiateReply:
        highest = min(request.max_version, MAX_VERSION)
        return pb.NegotiateReply(
            version=highest if highest >= max(request.min_version, MIN_VERSION) else 0,
            min_version=MIN_VERSION,
            max_version=MAX_VERSION,
            program=self.program,
            capabilities=self._capabilities,
            driver=self._name,
        )

    @answers
    async def Open(self, request: pb.OpenRequest, context: Context) -> pb.OpenReply:
        return await self.open(from_messages(request.parameters))

    async def open(self, parameters: Parameters) -> pb.OpenReply:
        """Makes the driver, once."""
        async with self._opening:
            if self._reply is not None:
                if parameters:
                    raise InvalidConfiguration("the driver is open already; a second `Open` has no parameters")
                return self._reply
            self.mask.hide(texts for name in self._secrets for texts in _texts(parameters.get(name)))
            call = await self.calls.begin()
            self._driver, reply = await call.step(self._make, parameters)
            self._reply = reply
            return reply

    def _make(self, parameters: Parameters) -> Tuple[StorageDriver, pb.OpenReply]:
        driver = self._factory(parameters)
        reply = pb.OpenReply(
            lacking=list(driver.lacking),
            path_limit=driver.path_limit,
            component_limit=driver.component_limit,
            key_prefix=driver.key_prefix,
        )
        return driver, reply

    async def shut_down(self) -> None:
        """Lets go of the driver, after all that it was dropped in the middle of."""
        await self.calls.finished()
        if self._driver is not None:
            call = await self.calls.begin()
            await call.step(self._driver.shut_down)

    @answers
    async def Health(self, request: pb.HealthRequest, context: Context) -> pb.HealthReply:
        await self._run(self.driver.health)
        return pb.HealthReply()

    @answers
    async def GetContent(self, request: pb.GetContentRequest, context: Context) -> None:
        path = self.path(request.path)
        await self._send_content(context, path, self.driver.get_content, path)

    @answers
    async def Read(self, request: pb.ReadRequest, context: Context) -> None:
        path = self.path(request.path)
        length = request.length if request.HasField("length") else None
        version = request.version if request.HasField("version") else None
        await self._send_content(context, path, self.driver.reader, path, request.offset, length, version)

    @answers
    async def PutContent(self, requests: Any, context: Context) -> pb.PutContentReply:
        path: Optional[str] = None
        pieces: list[bytes] = []
        last = False
        async for request in requests:
            if path is None:
                path = self.path(request.path)
            pieces.append(request.data)
            if request.last:
                last = True
                break
        if path is None or not last:
            raise broken("the content ended before its last piece; nothing was changed")
        content = b"".join(pieces)
        pieces.clear()
        await self._run(self.driver.put_content, path, content, paths=(path,))
        return pb.PutContentReply()

    @answers
    async def Write(self, requests: Any, context: Context) -> None:
        await write_call(self, requests, context)

    @answers
    async def Stat(self, request: pb.StatRequest, context: Context) -> pb.StatReply:
        path = self.path(request.path, root_allowed=True)
        return pb.StatReply(info=info_message(await self._run(self.driver.stat, path, paths=(path,))))

    @answers
    async def List(self, request: pb.ListRequest, context: Context) -> None:
        path = self.path(request.path, root_allowed=True)
        entries = (info_message(info) for info in _of(self.driver.list, path))
        await self._send_batches(context, path, _sorted_batches(entries), pb.ListReply, "entries")

    @answers
    async def Walk(self, requests: Any, context: Context) -> None:
        await walk_call(self, requests, context)

    @answers
    async def Rename(self, request: pb.RenameRequest, context: Context) -> pb.RenameReply:
        # `from` is a word of Python's.
        source, destination = self.path(getattr(request, "from")), self.path(request.to)
        await self._run(self.driver.rename, source, destination, paths=(source, destination))
        return pb.RenameReply()

    @answers
    async def Delete(self, request: pb.DeleteRequest, context: Context) -> pb.DeleteReply:
        path = self.path(request.path)
        await self._run(self.driver.delete, path, paths=(path,))
        return pb.DeleteReply()

    @answers
    async def Uploads(self, request: pb.UploadsRequest, context: Context) -> None:
        path = self.path(request.below, root_allowed=True)
        entries = (upload_message(upload) for upload in _of(self.driver.uploads, path))
        await self._send_batches(context, path, _sorted_batches(entries, strictly=False), pb.UploadsReply, "uploads")

    @answers
    async def AbortUpload(self, request: pb.AbortUploadRequest, context: Context) -> pb.AbortUploadReply:
        upload = upload_from(request.upload)
        self.path(upload.path)
        await self._run(self.driver.abort_upload, upload, paths=(upload.path,))
        return pb.AbortUploadReply()

    @answers
    async def RedirectUrl(self, request: pb.RedirectUrlRequest, context: Context) -> pb.RedirectUrlReply:
        path = self.path(request.path)
        wanted = RedirectRequest(
            request.method,
            {header.name: header.value for header in request.headers},
            request.client_address,
            request.expiry.ToNanoseconds() / 1_000_000_000,
        )
        url = await self._run(self.driver.redirect_url, path, wanted, paths=(path,))
        return pb.RedirectUrlReply(url=url)

    @answers
    async def Examine(self, request: pb.ExamineRequest, context: Context) -> pb.ExamineReply:
        scratch = self.path(request.scratch)
        found = await self._run(self.driver.examine, scratch, paths=(scratch,))
        return pb.ExamineReply(
            findings=[
                pb.Finding(
                    what=self.mask(finding.what),
                    outcome=pb.Outcome.Name(finding.outcome),
                    is_surprise=finding.is_surprise,
                    detail=self.mask(finding.detail),
                )
                for finding in found
            ]
        )

    async def _run(self, method: Callable[..., T], *arguments: Any, paths: Tuple[str, ...] = ()) -> T:
        """One step, which is the whole call."""
        call = await self.calls.begin(*paths)
        try:
            return await call.step(method, *arguments)
        except asyncio.CancelledError:
            call.drop()
            raise

    async def _send_content(self, context: Context, path: str, method: Callable[..., Content], *arguments: Any) -> None:
        call = await self.calls.begin(path, holds=False)
        opened: list[Content] = []

        def open_it() -> Tuple[Content, Iterator[bytes]]:
            # Kept at once: a call that is dropped now has to let go of it.
            opened.append(method(*arguments))
            return opened[0], _pieces(opened[0].chunks)

        def let_go() -> None:
            for content in opened:
                if content.close is not None:
                    content.close()

        try:
            content, pieces = await call.step(open_it)
            head: Optional[pb.ContentHead] = pb.ContentHead(size=content.size, version=content.version)
            reading = call.start(next, pieces, None)
            while True:
                piece = await call.result(reading)
                if piece is not None:
                    # The next piece is read while this one is sent; no more than that is kept.
                    reading = call.start(next, pieces, None)
                if piece is not None or head is not None:
                    await context.write(pb.ContentReply(head=head, data=piece))
                    head = None
                if piece is None:
                    return
        finally:
            call.drop(let_go)

    async def _send_batches(
        self, context: Context, path: str, batches: Iterator[list[Any]], reply: Callable[..., Any], field: str
    ) -> None:
        call = await self.calls.begin(path, holds=False)
        try:
            while True:
                batch = await call.step(next, batches, None)
                if batch is None:
                    return
                await context.write(reply(**{field: batch}))
        except asyncio.CancelledError:
            call.drop()
            raise


def _of(method: Callable[[str], Iterable[T]], path: str) -> Iterator[T]:
    """The method is called with the first entry, in a thread as the rest."""
    yield from method(path)


def _sorted_batches(messages: Iterator[Any], strictly: bool = True) -> Iterator[list[Any]]:
    """The messages, in batches that fit into one reply each. Fails where they are not sorted by path."""
    batch: list[Any] = []
    size = 0
    before = ""
    for message in messages:
        if message.path < before or (strictly and message.path == before):
            raise BackendError(f"the driver gives {message.path} after {before}; it has to sort by path")
        before = message.path
        more = message_size(message)
        if batch and (len(batch) == BATCH or size + more > PIECE):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += more
    if batch:
        yield batch


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, cut where they are too large for a message."""
    for chunk in chunks:
        if len(chunk) <= PIECE:
            if chunk:
                yield bytes(chunk)
        else:
            view = memoryview(chunk)
            for start in range(0, len(view), PIECE):
                yield bytes(view[start : start + PIECE])


def _texts(value: Any) -> Iterator[str]:
    """All texts and numbers of a value, as they would stand in a message."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
