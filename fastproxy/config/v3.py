"""A tree in the shape of Envoy's v3 bootstrap to the protobuf message, and the two walked side by side.

Owns `View`. Knows how JSON becomes protobuf, not what any field means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from google.protobuf import json_format, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from fastproxy.config.newer_fields import lift
from fastproxy.config.schema import enum_of, is_map, is_message, mend, message_of
from fastproxy.config.tree import Node, Report, plain
from fastproxy.config.type_urls import UnknownType, resolve

_OPAQUE = frozenset(f"google.protobuf.{name}" for name in ("Struct", "Value", "ListValue"))


@dataclass(slots=True)
class View:
    """A message of the bootstrap together with the part of the file that it came from."""

    message: Any
    node: Node

    @property
    def type_name(self) -> str:
        name: str = self.message.DESCRIPTOR.full_name
        return name

    def has(self, field: str) -> bool:
        """Whether the file sets this field (for a field without presence: to something else than its zero)."""
        return any(descriptor.name == field for descriptor, _ in self.message.ListFields())

    def node_of(self, field: str) -> Node:
        """Where the field stands, or where it would stand if the file had it."""
        return self._member(field) or self.node.absent(field)

    def value(self, field: str) -> Any:
        """The field as protobuf has it; an unset message field is its empty message."""
        return getattr(self.message, field)

    def wrapped(self, field: str, default: Any) -> Any:
        """The value of a wrapper field such as UInt32Value, `default` when the file leaves it out."""
        return getattr(self.message, field).value if self.message.HasField(field) else default

    def seconds(self, field: str, default: float | None) -> float | None:
        """A duration in seconds, `default` when the file leaves it out."""
        if not self.message.HasField(field):
            return default
        duration = getattr(self.message, field)
        return float(duration.seconds + duration.nanos / 1e9)

    def enum_name(self, field: str) -> str:
        """The name of an enum field's value; "" for one that the enum has no name for."""
        value = enum_of(self.message.DESCRIPTOR.fields_by_name[field]).values_by_number.get(self.value(field))
        return "" if value is None else str(value.name)

    def child(self, field: str) -> "View":
        """The message in a field; an empty one when the file leaves it out."""
        return View(getattr(self.message, field), self.node_of(field)).unpacked()

    def items(self, field: str) -> "list[View]":
        """The messages of a repeated field."""
        nodes = self.node_of(field).items()
        return [
            View(message, node).unpacked() for message, node in zip(getattr(self.message, field), nodes, strict=True)
        ]

    def entries(self, field: str) -> "dict[str, View]":
        """The messages of a map field by their keys."""
        nodes = self.node_of(field).members()
        return {key: View(message, nodes[key]).unpacked() for key, message in getattr(self.message, field).items()}

    def unpacked(self) -> "View":
        """The message inside an Any; this view itself for any other message."""
        if not isinstance(self.message, AnyMessage) or not self.message.type_url:
            return self
        inner = message_factory.GetMessageClass(resolve(self.message.type_url))()
        self.message.Unpack(inner)
        return View(inner, self.node)

    def below(self, only: str | None = None) -> "Iterator[View]":
        """The messages set directly in this one, or only those in one of its fields."""
        for field, _ in self.message.ListFields():
            if only is not None and field.name != only:
                continue
            if is_map(field):
                if is_message(message_of(field).fields_by_name["value"]):
                    yield from self.entries(field.name).values()
            elif is_message(field) and field.is_repeated:
                yield from self.items(field.name)
            elif is_message(field):
                yield self.child(field.name)

    def walk(self) -> "Iterator[View]":
        """This message and all below it."""
        yield self
        if self.type_name not in _OPAQUE:
            for view in self.below():
                yield from view.walk()

    def _member(self, field: str) -> Node | None:
        members = self.node.members()
        found = members.get(field)
        if found is None:
            descriptor = self.message.DESCRIPTOR.fields_by_name[field]
            found = members.get(descriptor.camelcase_name)
        return None if found is None or found.value is None else found


def parse(root: Node, report: Report) -> View:
    """The bootstrap that the tree describes, as much of it as fits; what does not fit is reported."""
    lift(root, report)
    bootstrap = Bootstrap()
    if _import_types(root) and _fill(bootstrap, root) is None:
        return View(bootstrap, root)
    mended = mend(root, Bootstrap.DESCRIPTOR, report) or root.with_value({})
    bootstrap = Bootstrap()
    mistake = _fill(bootstrap, mended)
    if mistake is not None:
        report.error(root, f"does not fit Envoy's schema: {mistake}")
        return View(Bootstrap(), root.with_value({}))
    return View(bootstrap, mended)


def _fill(message: Message, root: Node) -> str | None:
    """Fills the message; what is wrong if the tree does not fit."""
    try:
        json_format.ParseDict(plain(root), message)
    except json_format.ParseError as error:
        return str(error)
    except KeyError as error:  # a well-known type in an Any has its JSON in `value`
        return f"a typed_config lacks its {error}"
    return None


def _import_types(root: Node) -> bool:
    """Imports the generated class of every type URL in the tree; whether all of them exist."""
    known = True
    for node in root.walk():
        url = node.members().get("@type")
        if url is None:
            continue
        try:
            resolve(url.value if isinstance(url.value, str) else "")
        except UnknownType:
            known = False
    return known
