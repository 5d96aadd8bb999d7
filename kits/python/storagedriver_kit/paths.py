"""The grammar of paths, and the keys by which walks are ordered. Paths are ASCII, so text sorts as its bytes do."""

from __future__ import annotations

import re

from .errors import InvalidPath
from .model import WalkOrder

#: What holds where a driver says nothing else, in bytes.
PATH_LIMIT = 4096
COMPONENT_LIMIT = 255

_GRAMMAR = re.compile(r"(/[A-Za-z0-9._-]+)+")

#: Behind a directory's key this sorts after everything below it: no name has a `~`.
END = "~"


def check_path(
    path: str,
    *,
    root_allowed: bool = False,
    path_limit: int = PATH_LIMIT,
    component_limit: int = COMPONENT_LIMIT,
) -> str:
    """The path, if it keeps the grammar and the limits; the root only where it is allowed.

    Raises `InvalidPath`. The kit calls it for every path of a request, so drivers need not.
    """
    if path == "/":
        if root_allowed:
            return path
        raise InvalidPath("the root is no name of a file", path)
    if not _GRAMMAR.fullmatch(path):
        raise InvalidPath("a path is `/` and a name, once or more often; names are of A-Z a-z 0-9 . _ -", path)
    components = path.split("/")
    if "." in components or ".." in components:
        raise InvalidPath("`.` and `..` are no names", path)
    if len(path) > path_limit:
        raise InvalidPath(f"it has {len(path)} bytes; at most {path_limit} are allowed", path)
    if max(map(len, components)) > component_limit:
        raise InvalidPath(f"a name in it has more than {component_limit} bytes", path)
    return path


def check_start_after(text: str) -> str:
    """A place that a walk may start after: empty, a path, or one with `/` or `/~` behind it."""
    place = text
    for ending in ("/" + END, "/"):
        if place.endswith(ending):
            place = place[: -len(ending)]
            break
    if text and place:
        check_path(place)
    return text


def sort_key(key: str, order: WalkOrder) -> str:
    """What a key sorts by. In tree order whatever is below a name comes before its longer neighbours: `/` sorts first."""
    return key if order == WalkOrder.KEY else key.replace("/", "\0")


def overlap(one: str, other: str) -> bool:
    """Whether one of the paths is the other, or above it."""
    return one == other or is_below(one, other) or is_below(other, one)


def is_below(path: str, directory: str) -> bool:
    """Whether the path is below the directory, to any depth."""
    return path.startswith(directory if directory == "/" else directory + "/") and path != directory
