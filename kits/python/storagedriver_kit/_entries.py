"""Entries and uploads as messages."""

from __future__ import annotations

from typing import Any, Optional, cast

from google.protobuf.timestamp_pb2 import Timestamp

from ._proto import driver_pb2 as pb
from .model import FileInfo, UploadInfo

#: The most entries of one reply.
BATCH = 1000


def info_message(info: FileInfo) -> pb.FileInfo:
    return pb.FileInfo(
        path=info.path,
        kind=cast("pb.EntryKind", int(info.kind)),
        size=info.size if info.is_file else None,
        modified=_timestamp(info.modified_ns) if info.is_file else None,
        version=info.version if info.is_file else None,
    )


def upload_message(upload: UploadInfo) -> pb.UploadInfo:
    return pb.UploadInfo(path=upload.path, size=upload.size, modified=_timestamp(upload.modified_ns), id=upload.id)


def upload_from(message: pb.UploadInfo) -> UploadInfo:
    return UploadInfo(message.path, message.size, message.modified.ToNanoseconds(), message.id)


def message_size(message: Any) -> int:
    """How many bytes the entry takes in a reply, with what is around it."""
    return message.ByteSize() + 8


def _timestamp(nanoseconds: Optional[int]) -> Optional[Timestamp]:
    if nanoseconds is None:
        return None
    return Timestamp(seconds=nanoseconds // 1_000_000_000, nanos=nanoseconds % 1_000_000_000)
