"""A walk that is built on `list`, in both orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, List, Optional, Tuple

from .errors import PathNotFound
from .model import EntryKind, FileInfo, WalkOrder
from .paths import END, is_below, sort_key

if TYPE_CHECKING:
    from .driver import StorageDriver


def keys_of(info: FileInfo) -> List[Tuple[str, EntryKind]]:
    """The keys of an entry, with what is at each: a name that is both comes as two entries."""
    keys = []
    if info.is_file:
        keys.append((info.path, EntryKind.FILE))
    if info.is_directory:
        keys.append((info.path + "/", EntryKind.DIRECTORY))
    return keys


class ListWalk(Iterator[FileInfo]):
    """Every descendant of a directory, by one `list` for each directory that it enters.

    A file whose size or time `list` leaves out is asked for by `stat`. Directories that `start_after` leaves behind are not
    listed, and neither are those that are skipped in time.
    """

    def __init__(self, driver: StorageDriver, start: str, order: WalkOrder, start_after: str = "") -> None:
        self._driver = driver
        self._order = order
        self._start_after = sort_key(start_after, order)
        # The directories that it is in, from the start inwards.
        self._entered: List[_Directory] = [_Directory(start)]
        self._start: Optional[str] = start

    def __next__(self) -> FileInfo:
        while self._entered:
            directory = self._entered[-1]
            if directory.left is None and not self._list(directory):
                self._entered.pop()
                continue
            if not directory.left:
                self._entered.pop()
                continue
            key, info = directory.left.pop()
            if info.kind == EntryKind.DIRECTORY:
                if not self._is_after(key + END):
                    continue
                self._entered.append(_Directory(info.path))
                if self._is_after(key):
                    return info
            elif self._is_after(key):
                found = self._complete(info)
                if found is not None:
                    return found
        raise StopIteration

    def skip(self, path: str) -> None:
        """Leaves out what is below this directory from now on."""
        while self._entered and (self._entered[-1].path == path or is_below(self._entered[-1].path, path)):
            self._entered.pop()

    def _is_after(self, key: str) -> bool:
        return sort_key(key, self._order) > self._start_after

    def _list(self, directory: _Directory) -> bool:
        """Whether the directory could be listed. One that has gone since it was seen is left out; not so the start."""
        entries = []
        try:
            for info in self._driver.list(directory.path):
                for key, kind in keys_of(info):
                    entries.append((key, info if kind == EntryKind.FILE else FileInfo(info.path, kind)))
        except PathNotFound:
            if directory.path == self._start:
                raise
            return False
        entries.sort(key=lambda entry: sort_key(entry[0], self._order), reverse=True)
        directory.left = entries
        self._start = None
        return True

    def _complete(self, info: FileInfo) -> Optional[FileInfo]:
        """The file with its size and time; nothing if it has gone since it was listed."""
        if info.size is None or info.modified_ns is None:
            try:
                info = self._driver.stat(info.path)
            except PathNotFound:
                return None
            if not info.is_file:
                return None
        return FileInfo(info.path, EntryKind.FILE, info.size, info.modified_ns, info.version)


class _Directory:
    """One that the walk is in: what is left of it, the next last; nothing before it was listed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.left: Optional[List[Tuple[str, FileInfo]]] = None
