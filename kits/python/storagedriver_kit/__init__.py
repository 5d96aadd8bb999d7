"""Write a registry storage driver in Python, as an executable of its own.

A driver is a class that derives from `StorageDriver`; `serve` is the whole of its program. A program that has the crate
`storagedriver-ipc` starts it as `registry-storage-<name>` and uses it as any other driver. What each operation has to do
is in `docs/contract.md`, what goes over the socket in `docs/out-of-process.md`; the kit does the latter.

    from storagedriver_kit import StorageDriver, serve

    class MyDriver(StorageDriver):
        ...

    serve(MyDriver, "mine", "0.1.0")
"""

from ._calls import dropped, raise_if_dropped
from .driver import StorageDriver, Writer
from .errors import (
    BackendError,
    Conflict,
    Corrupted,
    InvalidConfiguration,
    InvalidOffset,
    InvalidParameter,
    InvalidPath,
    OutOfSpace,
    PathNotFound,
    PermissionDenied,
    StorageError,
    Throttled,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from .model import Content, EntryKind, FileInfo, Finding, Outcome, RedirectRequest, UploadInfo, WalkOrder
from .parameters import Parameters
from .paths import check_path
from .serving import serve
from .walk import ListWalk

__all__ = [
    "BackendError",
    "Conflict",
    "Content",
    "Corrupted",
    "EntryKind",
    "FileInfo",
    "Finding",
    "InvalidConfiguration",
    "InvalidOffset",
    "InvalidParameter",
    "InvalidPath",
    "ListWalk",
    "OutOfSpace",
    "Outcome",
    "Parameters",
    "PathNotFound",
    "PermissionDenied",
    "RedirectRequest",
    "StorageDriver",
    "StorageError",
    "Throttled",
    "Unauthenticated",
    "Unavailable",
    "Unsupported",
    "UploadInfo",
    "WalkOrder",
    "Writer",
    "check_path",
    "dropped",
    "raise_if_dropped",
    "serve",
]
