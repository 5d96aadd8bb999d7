"""The closed enumeration of what can go wrong, as exceptions.

A driver raises these and no others. The host adds driver, operation and path to the message, so a reason says only what
is wrong and what to do. An exception that is none of these reaches the host as `BackendError`.
"""

from __future__ import annotations

from typing import Optional

from ._proto import driver_pb2 as pb


class StorageError(Exception):
    """What all of them have in common; not raised itself.

    `path` is the path that the operation failed on; where it is not given, the host takes that of its call. What is given
    by `raise ... from cause` reaches the host as a cause.
    """

    kind: pb.ErrorKind = pb.KIND_BACKEND

    def __init__(self, reason: str = "", path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        named = f"{type(self).__name__}: {self.path}" if self.path else type(self).__name__
        return f"{named}: {self.reason}" if self.reason else named

    def fill(self, message: pb.Error) -> None:
        """Adds what only this error has to its message."""


class PathNotFound(StorageError):
    """Nothing is at the path, or not what the operation is for. `rename` names its source in `path`."""

    kind = pb.KIND_PATH_NOT_FOUND

    def __init__(self, path: str = "", reason: str = "") -> None:
        super().__init__(reason, path)


class InvalidPath(StorageError):
    """The path breaks the grammar or a limit."""

    kind = pb.KIND_INVALID_PATH


class InvalidOffset(StorageError):
    """A reader was asked for bytes past the end. `size` is that of the content, where it is known."""

    kind = pb.KIND_INVALID_OFFSET

    def __init__(self, offset: int, size: Optional[int] = None, path: str = "") -> None:
        super().__init__("", path)
        self.offset = offset
        self.size = size

    def fill(self, message: pb.Error) -> None:
        message.offset = self.offset
        if self.size is not None:
            message.size = self.size


class Conflict(StorageError):
    """Another got there first, or the path is of another kind."""

    kind = pb.KIND_CONFLICT


class Unsupported(StorageError):
    """The backend cannot do this."""

    kind = pb.KIND_UNSUPPORTED


class PermissionDenied(StorageError):
    """The backend does not let this caller do it."""

    kind = pb.KIND_PERMISSION_DENIED


class Unauthenticated(StorageError):
    """The backend does not know the caller."""

    kind = pb.KIND_UNAUTHENTICATED


class OutOfSpace(StorageError):
    """There is no room left."""

    kind = pb.KIND_OUT_OF_SPACE


class Throttled(StorageError):
    """The backend wants fewer requests. `retry_after` is how long to wait, in seconds, where the backend says so."""

    kind = pb.KIND_THROTTLED

    def __init__(self, reason: str = "", retry_after: Optional[float] = None, path: str = "") -> None:
        super().__init__(reason, path)
        self.retry_after = retry_after

    def fill(self, message: pb.Error) -> None:
        if self.retry_after is not None:
            message.retry_after.FromNanoseconds(max(0, round(self.retry_after * 1_000_000_000)))


class Unavailable(StorageError):
    """The backend cannot be reached, or failed in a way that may pass. Trying again may help."""

    kind = pb.KIND_UNAVAILABLE


class Corrupted(StorageError):
    """What the backend holds is not what was stored."""

    kind = pb.KIND_CORRUPTED


class InvalidParameter(StorageError):
    """A parameter is missing, of a wrong type or out of range. The reason does not repeat the value, which may be a secret."""

    kind = pb.KIND_INVALID_PARAMETER

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(reason)
        self.parameter = parameter

    def __str__(self) -> str:
        return f"{type(self).__name__}: {self.parameter}: {self.reason}"

    def fill(self, message: pb.Error) -> None:
        message.parameter = self.parameter


class InvalidConfiguration(StorageError):
    """The parameters contradict one another, or the driver is used in a wrong way."""

    kind = pb.KIND_INVALID_CONFIGURATION


class BackendError(StorageError):
    """Any failure of the backend that is none of the others. Give the backend's request id in the reason."""

    kind = pb.KIND_BACKEND
