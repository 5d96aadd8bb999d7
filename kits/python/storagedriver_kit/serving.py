"""The whole of a driver's program: its arguments, its socket, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from typing import Callable, Iterable, List, Optional, Tuple

import grpc

from ._proto import driver_pb2_grpc
from ._service import Service
from ._status import as_storage_error
from .driver import StorageDriver
from .parameters import Parameters

LOG = logging.getLogger("storagedriver_kit")

SOCKET_VARIABLE = "STORAGEDRIVER_SOCKET"
LIFELINE_VARIABLE = "STORAGEDRIVER_LIFELINE"

#: How long the process may live after its lifeline, in seconds. The protocol gives it one.
LAST_MOMENTS = 0.8

#: How long calls may go on after a signal, in seconds.
LAST_CALLS = 0.5

#: The window of a stream: how much of it is on its way to a reader that does not read, in bytes.
WINDOW = 2 * 1024 * 1024

OPTIONS = [
    ("grpc.http2.lookahead_bytes", WINDOW),
    # The window is what was agreed on, not what gRPC measures.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.max_frame_size", 1024 * 1024),
    ("grpc.max_concurrent_streams", 2**31 - 1),
    # The host pings as it likes. gRPC would end the connection of one that does it more often than every five minutes.
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 100),
    ("grpc.keepalive_permit_without_calls", 1),
]


def serve(
    driver_factory: Callable[[Parameters], StorageDriver],
    name: str,
    version: str,
    *,
    capabilities: Optional[Iterable[str]] = None,
    secrets: Iterable[str] = (),
    threads: int = 64,
) -> None:
    """Serves a driver; the whole main of its program. Does not return.

    `driver_factory` makes the driver from its parameters: a class derived from `StorageDriver`, or a function. `name` is the
    driver's, as in `registry-storage-<name>`. `capabilities` are `redirect` and `examine`; of a class they are found out: it
    has the methods that it defines. `secrets` are the names of parameters whose values never show: the kit takes them out of
    every error and log line that it writes. `threads` is how many methods of the driver run at once; open readers, writers
    and walks do not count.

    Started by a host, it listens on the socket that the host names and ends with its standard input. Started by hand, it
    takes the parameters as a JSON map in the first argument, prints the socket's path, and ends by SIGINT or SIGTERM.
    """
    if capabilities is None:
        capabilities = _capabilities(driver_factory)
    service = Service(driver_factory, name, version, capabilities, secrets, threads)
    _log_without_secrets(service)
    code = asyncio.run(_main(service, name))
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that is stuck in the backend does not keep the process.
    os._exit(code)


def _capabilities(factory: Callable[[Parameters], StorageDriver]) -> List[str]:
    if not isinstance(factory, type):
        return []
    named = {"redirect": "redirect_url", "examine": "examine"}
    return [name for name, method in named.items() if getattr(factory, method) is not getattr(StorageDriver, method)]


class _Masking(logging.Formatter):
    """One line for a record and for each line of its traceback, without secrets."""

    def __init__(self, service: Service) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._mask = service.mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))


def _log_without_secrets(service: Service) -> None:
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Masking(service))
        root.addHandler(handler)
        root.setLevel(logging.INFO)


async def _main(service: Service, name: str) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    path = os.environ.get(SOCKET_VARIABLE)
    by_hand = not path
    made: Optional[str] = None
    try:
        if by_hand:
            parameters, path = _arguments(sys.argv[1:], name, service.program)
            await service.open(parameters)
            if path is None:
                made = tempfile.mkdtemp(prefix=f"registry-storage-{name}-")
                path = os.path.join(made, "storage.sock")
            _refuse_second(path)
        else:
            lifeline = os.environ.get(LIFELINE_VARIABLE, "")
            if lifeline not in ("", "stdin"):
                raise _Wrong(
                    f"the lifeline {lifeline!r} is not known here, only `stdin`; the host is newer than this driver"
                )
            if lifeline:
                threading.Thread(target=_watch, args=(loop, stop), daemon=True).start()
        assert path is not None
        server = await _listen(service, path)
    except _Said as said:
        print(said)
        return 0
    except Exception as error:
        _remove(None, made)
        told = error if isinstance(error, _Wrong) else as_storage_error(error)
        print(f"registry-storage-{name}: {service.mask(str(told))}", file=sys.stderr)
        return error.code if isinstance(error, _Wrong) else 1
    try:
        if by_hand:
            print(path, flush=True)
        await stop.wait()
        # Calls that go on after that are cancelled, and drop what they have. With the host nobody wants their end.
        await server.stop(LAST_CALLS if by_hand else None)
        try:
            await asyncio.wait_for(service.shut_down(), LAST_MOMENTS / 2)
        except Exception as error:
            LOG.warning("the driver did not shut down: %s", type(error).__name__)
    finally:
        if by_hand:
            _remove(path, made)
    return 0


async def _listen(service: Service, path: str) -> grpc.aio.Server:
    server = grpc.aio.server(options=OPTIONS)
    driver_pb2_grpc.add_StorageDriverServicer_to_server(service, server)
    # Nobody else may connect: who can, has the storage.
    before = os.umask(0o177)
    try:
        bound = server.add_insecure_port(f"unix:{path}")
    except RuntimeError:
        bound = 0
    finally:
        os.umask(before)
    if not bound:
        raise _Taken(f"cannot listen on the socket {path}")
    await server.start()
    return server


def _watch(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Ends the process with its standard input, whatever the rest of it does."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        # As good as its end.
        pass
    try:
        loop.call_soon_threadsafe(stop.set)
        time.sleep(LAST_MOMENTS)
    finally:
        os._exit(0)


class _Wrong(Exception):
    """The program was started in a wrong way. The text is the whole message."""

    code = 2


class _Taken(_Wrong):
    """The socket cannot be had."""

    code = 1


class _Said(Exception):
    """What was asked for was said, and the program is done."""


def _arguments(arguments: List[str], name: str, program: str) -> Tuple[Parameters, Optional[str]]:
    """The parameters, and the path of the socket if one is given. No message repeats what may be a secret."""
    usage = f'usage: registry-storage-{name} [\'{{"parameter": "value"}}\'] [--socket PATH]'
    texts: List[str] = []
    path: Optional[str] = None
    left = list(arguments)
    while left:
        word = left.pop(0)
        if word in ("--help", "-h"):
            raise _Said(usage)
        if word in ("--version", "-V"):
            raise _Said(program)
        if word == "--socket" and left:
            path = left.pop(0)
        elif word.startswith("--socket="):
            path = word[len("--socket=") :]
        elif word.startswith("-") or texts:
            raise _Wrong(usage)
        else:
            texts.append(word)
    if path == "":
        raise _Wrong(usage)
    try:
        parameters = json.loads(texts[0]) if texts else {}
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise _Wrong(f"the parameters are not a JSON map; {usage}")
    return Parameters({key: value for key, value in parameters.items() if value is not None}), path


def _refuse_second(path: str) -> None:
    """gRPC would take the socket away from a process that listens on it."""
    with socket.socket(socket.AF_UNIX) as attempt:
        try:
            attempt.connect(path)
        except OSError:
            return
    raise _Taken(f"another process listens on {path}")


def _remove(path: Optional[str], directory: Optional[str]) -> None:
    """Leaves nothing behind of what was made for the socket."""
    # gRPC may have removed the socket already.
    if path is not None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    if directory is not None:
        os.rmdir(directory)
