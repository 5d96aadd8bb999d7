"""What operations take and give."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, Iterator, Optional

from ._proto import driver_pb2 as pb


class EntryKind(enum.IntEnum):
    """What is at a path. Only flat stores have names that are both."""

    FILE = pb.ENTRY_KIND_FILE
    DIRECTORY = pb.ENTRY_KIND_DIRECTORY
    FILE_AND_DIRECTORY = pb.ENTRY_KIND_FILE_AND_DIRECTORY


class WalkOrder(enum.IntEnum):
    """The order of a walk.

    `KEY`: by the bytes of keys, a directory's key ending in `/`: `/a-b`, `/a/`, `/a/x`, `/a0`.
    `TREE`: the children of each directory by name, depth first: `/a/`, `/a/x`, `/a-b`, `/a0`.
    """

    KEY = pb.WALK_ORDER_KEY
    TREE = pb.WALK_ORDER_TREE


class Outcome(enum.IntEnum):
    """How an attempt of `examine` ended."""

    UNKNOWN = pb.OUTCOME_UNKNOWN
    YES = pb.OUTCOME_YES
    NO = pb.OUTCOME_NO


@dataclass(frozen=True)
class FileInfo:
    """An entry: what `stat`, `list` and `walk` give.

    `size` is in bytes and `modified_ns`, when the content was last replaced, in nanoseconds since 1970. Both are for files;
    `list` may leave them out where they are not free. Equal `version`s of a path mean equal bytes.
    """

    path: str
    kind: EntryKind
    size: Optional[int] = None
    modified_ns: Optional[int] = None
    version: Optional[str] = None

    @property
    def is_file(self) -> bool:
        return self.kind != EntryKind.DIRECTORY

    @property
    def is_directory(self) -> bool:
        return self.kind != EntryKind.FILE


@dataclass
class Content:
    """What a reader gives: `size` of the whole content in bytes, whatever part was asked for, and the bytes in chunks of any
    size. `close` is called once, when the last chunk was taken or the reader is dropped.
    """

    size: int
    chunks: Iterable[bytes]
    version: Optional[str] = None
    close: Optional[Callable[[], None]] = None

    def read(self) -> bytes:
        """All of the rest, in one piece."""
        try:
            return b"".join(self.chunks)
        finally:
            if self.close is not None:
                self.close()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)


@dataclass(frozen=True)
class UploadInfo:
    """An upload that was closed and neither committed nor cancelled. `size` is what is durable, in bytes; `id` names the
    upload in this state: once it has moved on, its id is another.
    """

    path: str
    size: int
    modified_ns: int
    id: str


@dataclass(frozen=True)
class RedirectRequest:
    """What a client asked for. `method` is in capitals, names of headers are in lower case. `expiry` is how long the URL is
    to be valid, in seconds; `client_address` is empty where it is not known.
    """

    method: str
    headers: Dict[str, str] = field(default_factory=dict)
    client_address: str = ""
    expiry: float = 0.0


@dataclass(frozen=True)
class Finding:
    """One thing that `examine` tried."""

    what: str
    outcome: Outcome
    is_surprise: bool = False
    detail: str = ""
