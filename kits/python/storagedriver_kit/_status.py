"""Errors, as messages and in the details of a gRPC status."""

from __future__ import annotations

from typing import Iterable, List, Tuple

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2

from ._proto import driver_pb2 as pb
from .errors import BackendError, StorageError

TYPE = "type.googleapis.com/storagedriver.v1.Error"
DETAILS = "grpc-status-details-bin"

#: The most text of one error, in bytes: what fits into the headers that gRPC libraries take by default.
MOST_TEXT = 4096
#: The most of it in the plain message, which goes over the socket a second time.
MOST_MESSAGE = MOST_TEXT // 4

CODES = {
    pb.KIND_BACKEND: grpc.StatusCode.INTERNAL,
    pb.KIND_PATH_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    pb.KIND_INVALID_PATH: grpc.StatusCode.INVALID_ARGUMENT,
    pb.KIND_INVALID_OFFSET: grpc.StatusCode.OUT_OF_RANGE,
    pb.KIND_CONFLICT: grpc.StatusCode.ABORTED,
    pb.KIND_UNSUPPORTED: grpc.StatusCode.UNIMPLEMENTED,
    pb.KIND_PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    pb.KIND_UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    pb.KIND_OUT_OF_SPACE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    pb.KIND_THROTTLED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    pb.KIND_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    pb.KIND_CORRUPTED: grpc.StatusCode.DATA_LOSS,
    pb.KIND_INVALID_PARAMETER: grpc.StatusCode.INVALID_ARGUMENT,
    pb.KIND_INVALID_CONFIGURATION: grpc.StatusCode.INVALID_ARGUMENT,
}


class Masker:
    """Takes the values of secret parameters out of texts."""

    def __init__(self) -> None:
        self._secrets: List[str] = []

    def hide(self, secrets: Iterable[str]) -> None:
        # The longest first: one may be a part of another.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def cut(text: str, most: int) -> str:
    """The start of the text, at most so many bytes of UTF-8, with a mark if some is missing."""
    data = text.encode("utf-8", "replace")
    if len(data) <= most:
        return data.decode("utf-8")
    mark = "…"
    room = most - len(mark.encode())
    return data[:room].decode("utf-8", "ignore") + mark if room >= 0 else ""


def as_storage_error(error: BaseException) -> StorageError:
    """The error itself, or what stands for one that the driver did not expect."""
    if isinstance(error, StorageError):
        return error
    unexpected = BackendError(f"the driver failed unexpectedly: {type(error).__name__}: {error}")
    unexpected.__cause__ = error.__cause__
    return unexpected


def broken(reason: str) -> BackendError:
    """The host did what the protocol does not allow."""
    return BackendError(f"the host broke the protocol: {reason}")


def error_message(error: StorageError, mask: Masker) -> pb.Error:
    """An error as a message. Secrets are masked, long texts are cut."""
    room = MOST_TEXT

    def take(text: str, most: int = MOST_TEXT) -> str:
        nonlocal room
        text = cut(mask(text), min(room, most))
        room -= len(text.encode())
        return text

    message = pb.Error(kind=error.kind)
    error.fill(message)
    message.parameter = take(message.parameter)
    message.path = take(error.path, MOST_TEXT // 2)
    message.reason = take(error.reason)
    cause = error.__cause__
    while cause is not None and room > 0:
        text = take(f"{type(cause).__name__}: {cause}")
        if text:
            message.causes.append(text)
        cause = cause.__cause__
    return message


def status_of(error: StorageError, mask: Masker) -> Tuple[grpc.StatusCode, str, Tuple[Tuple[str, bytes], ...]]:
    """Code, message and trailing metadata of a call that ends with this error."""
    code = CODES[error.kind]
    text = cut(mask(str(error)), MOST_MESSAGE)
    detail = any_pb2.Any(type_url=TYPE, value=error_message(error, mask).SerializeToString())
    details = status_pb2.Status(code=code.value[0], message=text, details=[detail])
    return code, text, ((DETAILS, details.SerializeToString()),)
