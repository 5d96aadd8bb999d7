"""Steps of calls in threads, and what is done when a call is dropped.

gRPC runs in one thread, by asyncio, so that a call that waits costs no thread. The driver's methods may block; each
runs as a step in a pool. A thread cannot be stopped: when a call is dropped in the middle of a step, later calls that
touch the same paths wait until that step is over. So what was dropped never comes back over what is done after it.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Awaitable, Callable, Dict, List, Set, Tuple, TypeVar

from .errors import Unavailable
from .paths import overlap

T = TypeVar("T")
LOG = logging.getLogger("storagedriver_kit")

_current: contextvars.ContextVar[threading.Event] = contextvars.ContextVar("storagedriver_kit_dropped")


def dropped() -> bool:
    """Whether the call that this thread works for was dropped: nobody wants its outcome any more."""
    event = _current.get(None)
    return event is not None and event.is_set()


def raise_if_dropped() -> None:
    """Raises `Unavailable` if the call was dropped. To be called before the step of an operation that shows."""
    if dropped():
        raise Unavailable("the call was dropped")


class Calls:
    """All calls of a process."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="driver")
        # What goes on for calls that were dropped, with the paths that it touches.
        self._left: Dict[asyncio.Future[Any], Tuple[str, ...]] = {}
        # Without a reference the loop forgets a task.
        self._tasks: Set[asyncio.Task[Any]] = set()

    async def begin(self, *paths: str, holds: bool = True) -> Call:
        """A call on these paths, once nothing that was dropped goes on there. One that only reads need not hold them."""
        # What was dropped in the same instant is noticed first.
        await asyncio.sleep(0)
        while self._left:
            waiting = [
                future
                for future, touched in self._left.items()
                if any(overlap(one, other) for one in paths for other in touched)
            ]
            if not waiting:
                break
            await asyncio.wait(waiting)
        return Call(self, paths if holds else ())

    def submit(self, event: threading.Event, method: Callable[..., T], *arguments: Any) -> Future[T]:
        context = contextvars.copy_context()
        context.run(_current.set, event)
        return self._pool.submit(context.run, method, *arguments)

    def leave(self, paths: Tuple[str, ...], rest: Awaitable[Any]) -> None:
        """Finishes something for a call that is gone."""
        task = asyncio.ensure_future(rest)
        self._tasks.add(task)
        self._left[task] = paths

        def finished(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            self._left.pop(task, None)
            if not task.cancelled() and task.exception() is not None:
                LOG.warning("what a dropped call left behind: %s", type(task.exception()).__name__)

        task.add_done_callback(finished)

    async def finished(self) -> None:
        """Waits for all that goes on for calls that were dropped."""
        while self._left:
            await asyncio.wait(list(self._left))


class Call:
    """One call: runs its steps, one at a time."""

    def __init__(self, calls: Calls, paths: Tuple[str, ...]) -> None:
        self._calls = calls
        self._paths = paths
        self._dropped = threading.Event()
        self._running: List[Future[Any]] = []

    def start(self, method: Callable[..., T], *arguments: Any) -> Future[T]:
        """Starts a step without waiting for it."""
        step = self._calls.submit(self._dropped, method, *arguments)
        self._running = [step]
        return step

    async def result(self, step: Future[T]) -> T:
        """Waits for a step. If the call is dropped meanwhile, a step that has not begun never does."""
        return await asyncio.wrap_future(step)

    async def step(self, method: Callable[..., T], *arguments: Any) -> T:
        """Runs a method of the driver in a thread."""
        return await self.result(self.start(method, *arguments))

    def drop(self, *endings: Callable[[], Any]) -> None:
        """The call was dropped, or has failed: once its step is over, runs what lets go of what it had, in a thread."""
        self._dropped.set()
        running = [step for step in self._running if not step.cancel() and not step.done()]
        if running or endings:
            self._calls.leave(self._paths, self._finish(running, endings))

    async def _finish(self, running: List[Future[Any]], endings: Tuple[Callable[[], Any], ...]) -> None:
        for step in running:
            await asyncio.wait([asyncio.wrap_future(step)])
        for ending in endings:
            await asyncio.wrap_future(self._calls.submit(self._dropped, ending))
