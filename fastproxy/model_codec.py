"""Frozen dataclasses as JSON and back, so that one process can hand its configuration to another.

A class is known by its name, and the classes that can come back are those that the root's type hints lead to: JSON
makes nothing else. Values are None, booleans, numbers, texts, bytes, enums, tuples, sets, mappings and dataclasses.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, Generic, TypeVar, get_args, get_type_hints

T = TypeVar("T")

_KIND = ""  # the key under which an object says what it is; no field has this name
_PLAIN = (str, int, float, bool, type(None))


class Codec(Generic[T]):
    """Writes and reads values of the class `root`. TypeError for a value of a class that its type hints do not name."""

    def __init__(self, root: type[T]) -> None:
        self._root = root
        self._classes: dict[str, type[Any]] = {}
        self._fields: dict[type[Any], tuple[Field[Any], ...]] = {}
        self._meet(root)

    def encode(self, value: T) -> bytes:
        return json.dumps(self._plain(value), separators=(",", ":")).encode()

    def decode(self, data: bytes | bytearray | memoryview) -> T:
        """ValueError, KeyError or TypeError when `data` is not what `encode` has written for this root."""
        value = json.loads(bytes(data), object_hook=self._object)
        if not isinstance(value, self._root):
            raise ValueError(f"not a {self._root.__name__}")
        return value

    def _meet(self, hint: Any) -> None:
        """Learn every class that a type hint leads to."""
        for argument in get_args(hint):
            self._meet(argument)
        if not isinstance(hint, type) or hint in self._fields or not (is_dataclass(hint) or issubclass(hint, Enum)):
            return
        name = hint.__name__
        if self._classes.setdefault(name, hint) is not hint:
            raise TypeError(f"two classes are called {name}: {self._classes[name]} and {hint}")
        self._fields[hint] = fields(hint) if is_dataclass(hint) else ()
        hints = get_type_hints(hint, vars(sys.modules[hint.__module__])) if is_dataclass(hint) else {}
        for field in self._fields[hint]:
            self._meet(hints[field.name])

    def _plain(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is tuple:
            return [self._plain(each) for each in value]
        if kind in self._fields:
            return {_KIND: kind.__name__, **dict(self._members(value))}
        if kind is bytes:
            return {_KIND: "bytes", "text": value.decode("latin-1")}
        if isinstance(value, Mapping):
            return {_KIND: "dict", "items": [[self._plain(key), self._plain(each)] for key, each in value.items()]}
        if kind is frozenset:
            return {_KIND: "frozenset", "items": [self._plain(each) for each in value]}
        raise TypeError(f"cannot hand over a {kind.__name__}: {value!r}")

    def _members(self, value: Any) -> Iterator[tuple[str, Any]]:
        """The fields that are not what they are by default."""
        if isinstance(value, Enum):
            yield "name", value.name
            return
        for field in self._fields[type(value)]:
            member = getattr(value, field.name)
            if member is not field.default or field.default is MISSING:
                yield field.name, self._plain(member)

    def _object(self, members: dict[str, Any]) -> Any:
        kind = members.pop(_KIND)
        if kind == "bytes":
            return members["text"].encode("latin-1")
        found = {name: _frozen(value) for name, value in members.items()}
        if kind == "dict":
            return dict(found["items"])
        if kind == "frozenset":
            return frozenset(found["items"])
        wanted = self._classes[kind]
        return wanted[found["name"]] if issubclass(wanted, Enum) else wanted(**found)


def _frozen(value: Any) -> Any:
    """Lists, which JSON knows, as the tuples that they were."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
