"""The parameters that a driver is opened with."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ._proto import driver_pb2 as pb
from .errors import InvalidParameter


class Parameters(Dict[str, Any]):
    """The parameters by name: `bool`, `int`, `float`, `str`, lists and dictionaries of them. A null is left out.

    The methods take a parameter out, so that `finish` can refuse what nobody asked for. Text is taken for a number or a
    truth value where one is wanted, since environment variables and YAML of registries give text. All raise
    `InvalidParameter`, which does not repeat the value.
    """

    def text(self, name: str, default: Optional[str] = None) -> str:
        """A text that is not empty. Without a default it has to be there."""
        value = self._take(name, default)
        if not isinstance(value, str) or not value:
            raise InvalidParameter(name, "has to be a text that is not empty")
        return value

    def integer(self, name: str, default: Optional[int] = None) -> int:
        """A whole number. Without a default it has to be there."""
        value = self._take(name, default)
        try:
            if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
                raise ValueError
            return int(value)
        except (TypeError, ValueError, OverflowError):
            raise InvalidParameter(name, "has to be a whole number") from None

    def boolean(self, name: str, default: Optional[bool] = None) -> bool:
        """True or false. Without a default it has to be there."""
        value = self._take(name, default)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise InvalidParameter(name, "has to be true or false")

    def finish(self) -> None:
        """Refuses what is left: a parameter that nobody takes is a mistake in writing."""
        for name in sorted(self):
            raise InvalidParameter(name, "is not known to this driver")

    def _take(self, name: str, default: Any) -> Any:
        value = self.pop(name, default)
        if value is None:
            raise InvalidParameter(name, "is missing")
        return value


def from_messages(messages: Any) -> Parameters:
    """The parameters of an `OpenRequest`."""
    return Parameters({name: value for name, value in _entries(messages) if value is not None})


def _entries(messages: Any) -> Any:
    return ((name, _value(message)) for name, message in messages.items())


def _value(message: pb.Value) -> Any:
    kind = message.WhichOneof("kind")
    if kind is None:
        return None
    if kind == "list":
        return [_value(value) for value in message.list.values]
    if kind == "map":
        return {name: value for name, value in _entries(message.map.values) if value is not None}
    return getattr(message, kind)
