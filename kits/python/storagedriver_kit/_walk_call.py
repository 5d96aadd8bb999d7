"""A walk: one call, with credit and skips."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Deque, Iterator, List, Optional

from ._entries import BATCH, info_message, message_size
from ._proto import driver_pb2 as pb
from ._status import broken
from .errors import BackendError, Unsupported
from .model import EntryKind, FileInfo, WalkOrder
from .paths import check_start_after, is_below, sort_key

if TYPE_CHECKING:
    from ._service import Context, Service

#: The most of one reply, in bytes.
MOST_BYTES = 1024 * 1024
#: How many entries are read ahead of a host that gives credit and does not read.
MOST_AHEAD = 4 * BATCH


async def walk_call(service: Service, requests: Any, context: Context) -> None:
    """Serves the call. A thread reads entries as far as there is credit; they are sent as they come."""
    request: Optional[pb.WalkRequest] = None
    async for request in requests:
        break
    if request is None:
        return
    if request.WhichOneof("step") != "start":
        raise broken("the first request of a walk has to start it")
    start = request.start
    path = service.path(start.path, root_allowed=True)
    if start.order not in (pb.WALK_ORDER_KEY, pb.WALK_ORDER_TREE):
        raise Unsupported(f"order {start.order} of walks is not known here", path)
    order, start_after = WalkOrder(start.order), check_start_after(start.start_after)
    call = await service.calls.begin(path, holds=False)
    news = asyncio.Event()
    loop = asyncio.get_running_loop()
    driver = service.driver
    ahead = _Ahead(
        lambda: driver.walk(path, order, start_after), order, start.credit, lambda: loop.call_soon_threadsafe(news.set)
    )
    listening = asyncio.ensure_future(_listen(requests, ahead))
    listening.add_done_callback(lambda _: news.set())
    reading: Optional[asyncio.Future[bool]] = None
    try:
        while True:
            if reading is None and ahead.may_read():
                reading = asyncio.wrap_future(call.start(ahead.read))
                reading.add_done_callback(lambda _: news.set())
            elif reading is None and listening.done():
                listening.result()
                raise broken("the requests of a walk ended before the walk, and there is no credit left")
            await news.wait()
            news.clear()
            read = reading is not None and reading.done()
            for batch in ahead.take():
                await context.write(pb.WalkReply(entries=batch))
            if reading is not None and read:
                if reading.result():
                    return
                reading = None
    finally:
        listening.cancel()
        call.drop(ahead.let_go)


async def _listen(requests: Any, ahead: _Ahead) -> None:
    """Takes what the host sends while it reads."""
    async for request in requests:
        step = request.WhichOneof("step")
        if step == "more":
            ahead.give(request.more.credit)
        elif step == "skip":
            ahead.skip(request.skip.path)
        elif step == "start":
            raise broken("a walk is started once")
        # Anything else is from a later version, which adds only what may be skipped.


class _Ahead:
    """What was read and not sent yet: between the thread that reads and the loop that sends."""

    def __init__(
        self, walk: Callable[[], Iterator[FileInfo]], order: WalkOrder, credit: int, tell: Callable[[], Any]
    ) -> None:
        self._make = walk
        self._order = order
        self._tell = tell
        self._walk: Optional[Iterator[FileInfo]] = None
        self._last = ""
        self._lock = threading.Lock()
        # What follows is shared.
        self._credit = credit
        self._entries: List[FileInfo] = []
        self._skipped: List[str] = []
        self._to_skip: Deque[str] = deque()
        self._told = False

    def give(self, credit: int) -> None:
        with self._lock:
            self._credit += credit
        self._tell()

    def skip(self, directory: str) -> None:
        with self._lock:
            kept = [info for info in self._entries if not is_below(info.path, directory)]
            # What was not sent has used no credit.
            self._credit += len(self._entries) - len(kept)
            self._entries = kept
            self._skipped.append(directory)
            self._to_skip.append(directory)
        self._tell()

    def may_read(self) -> bool:
        with self._lock:
            return self._credit > 0 and len(self._entries) < MOST_AHEAD

    def take(self) -> Iterator[List[pb.FileInfo]]:
        """All that was read, in batches that fit into one reply each."""
        while True:
            with self._lock:
                self._told = False
                taken, self._entries = self._entries[:BATCH], self._entries[BATCH:]
            if not taken:
                return
            batch: List[pb.FileInfo] = []
            size = 0
            for info in taken:
                message = info_message(info)
                more = message_size(message)
                if batch and size + more > MOST_BYTES:
                    yield batch
                    batch, size = [], 0
                batch.append(message)
                size += more
            yield batch

    def read(self) -> bool:
        """Reads on while there is credit, in a thread. Whether the walk is over."""
        if self._walk is None:
            self._walk = iter(self._make())
        skip = getattr(self._walk, "skip", None)
        while self.may_read():
            while self._to_skip:
                directory = self._to_skip.popleft()
                if skip is not None:
                    skip(directory)
            info = next(self._walk, None)
            if info is None:
                return True
            self._check(info)
            with self._lock:
                # Whatever is below a directory comes right after it, so the first that is not ends the skip.
                self._skipped = [directory for directory in self._skipped if is_below(info.path, directory)]
                if self._skipped:
                    continue
                self._credit -= 1
                self._entries.append(info)
                tell, self._told = not self._told, True
            if tell:
                self._tell()
        return False

    def let_go(self) -> None:
        close = getattr(self._walk, "close", None)
        if close is not None:
            close()

    def _check(self, info: FileInfo) -> None:
        if info.kind == EntryKind.FILE_AND_DIRECTORY:
            raise BackendError("in a walk a name that is both comes as two entries", info.path)
        key = sort_key(info.path if info.is_file else info.path + "/", self._order)
        if key <= self._last:
            raise BackendError(f"the driver gives {info.path} out of the order of this walk", info.path)
        self._last = key
