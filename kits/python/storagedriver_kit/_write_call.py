"""An upload: one call, from its opening to its ending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

from ._calls import Call
from ._proto import driver_pb2 as pb
from ._status import as_storage_error, broken, error_message
from .driver import Writer
from .errors import Unsupported

if TYPE_CHECKING:
    from ._service import Context, Service


async def write_call(service: Service, requests: Any, context: Context) -> None:
    """Serves the call. A stream that ends or breaks without an ending drops the writer."""
    request = await _next(requests)
    if request is None:
        return
    if request.WhichOneof("step") != "open":
        raise broken("the first request of an upload has to open it")
    path = service.path(request.open.path)
    if request.open.mode not in (pb.WRITE_MODE_CREATE, pb.WRITE_MODE_APPEND):
        raise Unsupported(f"mode {request.open.mode} of writing is not known here", path)
    append = request.open.mode == pb.WRITE_MODE_APPEND
    call = await service.calls.begin(path)
    upload = _Upload(service, call, context)
    try:
        await upload.open(path, append)
        while (request := await _next(requests)) is not None:
            step = request.WhichOneof("step")
            if step == "chunk":
                await upload.take(request.chunk)
            elif step == "ending":
                await upload.end(request.ending)
                return
            else:
                # Nor may what a later version adds be skipped: it may be content.
                raise broken(f"a step of an upload that is not known here, or not now: {step}")
    finally:
        upload.let_go()


async def _next(requests: Any) -> Optional[pb.WriteRequest]:
    async for request in requests:
        return request
    return None


class _Upload:
    """The driver's side of an upload."""

    def __init__(self, service: Service, call: Call, context: Context) -> None:
        self._service = service
        self._call = call
        self._context = context
        # Filled by the thread that makes it: a call that is dropped meanwhile has to let go of it.
        self._writers: List[Writer] = []
        self._ended = False
        self._pieces: List[bytes] = []
        self._accepted = 0
        self._refused = False

    @property
    def _writer(self) -> Writer:
        return self._writers[0]

    async def open(self, path: str, append: bool) -> None:
        def make() -> int:
            self._writers.append(self._service.driver.writer(path, append))
            return self._writer.size

        size = await self._call.step(make)
        await self._context.write(pb.WriteReply(opened=pb.WriteOpened(size=size)))

    async def take(self, piece: pb.WriteChunk) -> None:
        """A piece of a chunk. After a refusal only the chunk that was refused is taken up again."""
        following = self._accepted + 1
        if piece.sequence != following:
            if self._refused and not self._pieces and piece.sequence > following:
                return
            raise broken(f"chunk {piece.sequence} came where {following} was next")
        self._pieces.append(piece.data)
        if not piece.last:
            return
        chunk = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces = []

        def write() -> int:
            self._writer.write(chunk)
            return self._writer.size

        try:
            size = await self._call.step(write)
        except Exception as error:
            message = error_message(as_storage_error(error), self._service.mask)
            self._refused = True
            refused = pb.WriteRefused(sequence=following, error=message)
            await self._context.write(pb.WriteReply(refused=refused))
            return
        self._accepted, self._refused = following, False
        await self._context.write(pb.WriteReply(accepted=pb.WriteAccepted(sequence=following, size=size)))

    async def end(self, ending: int) -> None:
        """The ending, with what was accepted."""
        if self._pieces:
            raise broken("an upload was ended in the middle of a chunk")

        def close() -> int:
            return self._writer.close()

        def commit() -> int:
            size = self._writer.size
            self._writer.commit()
            return size

        def cancel() -> int:
            self._writer.cancel()
            return 0

        endings: Dict[int, Callable[[], int]] = {
            pb.WRITE_ENDING_CLOSE: close,
            pb.WRITE_ENDING_COMMIT: commit,
            pb.WRITE_ENDING_CANCEL: cancel,
        }
        method = endings.get(ending)
        if method is None:
            raise Unsupported(f"ending {ending} of an upload is not known here")

        def finish() -> int:
            size = method()
            self._ended = True
            return size

        size = await self._call.step(finish)
        await self._context.write(pb.WriteReply(ended=pb.WriteEnded(size=size)))

    def let_go(self) -> None:
        """The call is over, in whatever way. What the writer holds goes, unless an ending took it."""

        def drop() -> None:
            if self._writers and not self._ended:
                self._writer.drop()

        if not self._ended:
            self._call.drop(drop)
