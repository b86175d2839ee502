"""Enforces the `validate.rules` that Envoy's own schema carries in its descriptors: ranges, lengths, required ones.

Source: protoc-gen-validate's validate.proto. Only what a rule says is checked here, for every message that the
file sets; what fields mean together is the business of `build`.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from validate import validate_pb2

from fastproxy.config.schema import DURATION, WRAPPERS, enum_of, is_map, is_message, message_of
from fastproxy.config.tree import Node, Report, describe
from fastproxy.config.v3 import View

_LIMITS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("const", lambda value, limit: value == limit, "has to be"),
    ("gt", lambda value, limit: value > limit, "has to be greater than"),
    ("gte", lambda value, limit: value >= limit, "has to be at least"),
    ("lt", lambda value, limit: value < limit, "has to be less than"),
    ("lte", lambda value, limit: value <= limit, "has to be at most"),
)
_LENGTHS: tuple[tuple[str, Callable[[int, int], bool], str], ...] = (
    ("len", lambda size, limit: size == limit, "exactly"),
    ("min_len", lambda size, limit: size >= limit, "at least"),
    ("max_len", lambda size, limit: size <= limit, "at most"),
)
_DURATION = "google.protobuf.Duration"
_HEADER_NAME = re.compile(r":?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+")
_NOT_IN_HEADERS = {
    validate_pb2.HTTP_HEADER_NAME: re.compile("[\x00\n\r]"),
    validate_pb2.HTTP_HEADER_VALUE: re.compile("[\x00\n\r]"),
}


def check(view: View, report: Report) -> None:
    """Reports every rule that the message or one below it breaks."""
    for message in view.walk():
        if message.type_name == _DURATION:
            _check_duration(message, report)
        for field, rules in _ruled_fields(message.message.DESCRIPTOR):
            for node, complaint in _complaints(message, field, rules):
                report.error(node, complaint)
        for name, fields in _required_oneofs(message.message.DESCRIPTOR):
            if message.message.WhichOneof(name) is None and not message.node.damaged:
                report.error(message.node, f"one of {', '.join(fields)} is required here")


def _check_duration(view: View, report: Report) -> None:
    """Envoy takes no negative durations anywhere, without a rule that says so, and is strict about their form."""
    if isinstance(view.node.value, str) and not DURATION.fullmatch(view.node.value):
        report.error(view.node, f'expected a duration in seconds such as "0.25s", not {describe(view.node)}')
    elif view.message.seconds < 0 or view.message.nanos < 0:
        report.error(view.node, "a duration cannot be negative")


@cache
def _ruled_fields(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, Any], ...]:
    """The fields of a message that have rules, with them."""
    found = []
    for field in descriptor.fields:
        options = field.GetOptions()
        if options.HasExtension(validate_pb2.rules):
            found.append((field, options.Extensions[validate_pb2.rules]))
    return tuple(found)


@cache
def _required_oneofs(descriptor: Descriptor) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (oneof.name, tuple(f.name for f in oneof.fields if not f.name.startswith("hidden_envoy")))
        for oneof in descriptor.oneofs
        if oneof.GetOptions().Extensions[validate_pb2.required]
    )


def _complaints(view: View, field: FieldDescriptor, rules: Any) -> Iterator[tuple[Node, str]]:
    """Where the field breaks its rules, and how."""
    value = view.value(field.name)
    if is_map(field):
        yield from ((view.node_of(field.name), words) for words in _size(len(value), rules.map, "_pairs", "key"))
    elif field.is_repeated:
        yield from _repeated(view, field, rules.repeated, value)
    else:
        yield from _single(view, field, rules, value)


def _repeated(view: View, field: FieldDescriptor, rules: Any, values: Any) -> Iterator[tuple[Node, str]]:
    node = view.node_of(field.name)
    if not node.damaged and not (view.node.damaged and node.value is None):
        yield from ((node, words) for words in _size(len(values), rules, "_items", "element"))
    nodes = node.items()
    if rules.HasField("items"):
        for item, value in zip(nodes, values, strict=False):
            yield from ((item, words) for words in _scalar(value, field, rules.items))
    if rules.unique:
        seen = list(values)
        yield from ((item, "stands in this list twice") for i, item in enumerate(nodes) if seen[i] in seen[:i])


def _single(view: View, field: FieldDescriptor, rules: Any, value: Any) -> Iterator[tuple[Node, str]]:
    node = view.node_of(field.name)
    is_set = view.message.HasField(field.name) if field.has_presence else True
    absent = node.value is None and not value
    if not is_set:
        if _is_required(rules) and field.containing_oneof is None and not view.node.damaged:
            yield node, f'"{field.name}" is required here'
        return
    if absent and view.node.damaged:
        return
    if not is_message(field):
        for words in _scalar(value, field, rules):
            yield node, f'"{field.name}" is required here' if absent else words
    elif message_of(field).full_name == _DURATION:
        yield from ((node, words) for words in _duration(value, rules.duration))
    elif message_of(field).full_name in WRAPPERS:
        inner = message_of(field).fields_by_name["value"]
        yield from ((node, words) for words in _scalar(value.value, inner, rules))


def _is_required(rules: Any) -> bool:
    kind = rules.WhichOneof("type")
    return bool(rules.message.required or (kind in ("any", "duration", "timestamp") and getattr(rules, kind).required))


def _size(size: int, rules: Any, suffix: str, noun: str) -> Iterator[str]:
    least, most = f"min{suffix}", f"max{suffix}"
    if rules.HasField(least) and size < getattr(rules, least):
        yield f"needs at least {_count(getattr(rules, least), noun)}"
    if rules.HasField(most) and size > getattr(rules, most):
        yield f"may have at most {_count(getattr(rules, most), noun)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _scalar(value: Any, field: FieldDescriptor, rules: Any) -> Iterator[str]:
    kind = rules.WhichOneof("type")
    if kind is None or kind in ("message", "repeated", "map", "any", "duration", "timestamp"):
        return
    limits = getattr(rules, kind)
    if getattr(limits, "ignore_empty", False) and not value:
        return
    if kind == "string":
        yield from _text(value, limits)
    elif kind == "bytes":
        yield from _lengths(len(value), limits, "", "byte")
    elif kind == "enum":
        yield from _enum(value, field, limits)
    else:
        yield from _limited(value, limits)
    yield from _listed(value, limits)


def _limited(value: Any, limits: Any) -> Iterator[str]:
    fields = limits.DESCRIPTOR.fields_by_name
    for name, holds, words in _LIMITS:
        if name in fields and limits.HasField(name) and not holds(value, getattr(limits, name)):
            yield f"{words} {getattr(limits, name)}, not {value}"


def _listed(value: Any, limits: Any) -> Iterator[str]:
    fields = limits.DESCRIPTOR.fields_by_name
    allowed = list(getattr(limits, "in")) if "in" in fields else []
    if allowed and value not in allowed:
        yield f"has to be one of {', '.join(map(str, allowed))}"
    if "not_in" in fields and value in limits.not_in:
        yield f"may not be {value}"


def _enum(value: int, field: FieldDescriptor, limits: Any) -> Iterator[str]:
    if limits.defined_only and value not in enum_of(field).values_by_number:
        yield f"{value} is no {enum_of(field).name}"
    if limits.HasField("const") and value != limits.const:
        yield f"has to be {enum_of(field).values_by_number[limits.const].name}"


def _lengths(size: int, limits: Any, suffix: str, unit: str) -> Iterator[str]:
    for name, holds, words in _LENGTHS:
        bound = name.replace("len", "byte") if suffix else name
        if (
            bound in limits.DESCRIPTOR.fields_by_name
            and limits.HasField(bound)
            and not holds(size, getattr(limits, bound))
        ):
            yield f"needs {words} {_count(getattr(limits, bound), unit)}"


def _text(value: str, limits: Any) -> Iterator[str]:
    yield from _lengths(len(value), limits, "", "character")
    yield from _lengths(len(value.encode("utf-8", "replace")), limits, "_bytes", "byte")
    if limits.HasField("const") and value != limits.const:
        yield f'has to be "{limits.const}"'
    if limits.HasField("prefix") and not value.startswith(limits.prefix):
        yield f'has to begin with "{limits.prefix}"'
    if limits.HasField("suffix") and not value.endswith(limits.suffix):
        yield f'has to end with "{limits.suffix}"'
    if limits.HasField("contains") and limits.contains not in value:
        yield f'has to contain "{limits.contains}"'
    if limits.HasField("not_contains") and limits.not_contains in value:
        yield f'may not contain "{limits.not_contains}"'
    if limits.HasField("pattern") and re.search(limits.pattern, value) is None:
        yield f"has to match {limits.pattern}"
    if limits.well_known_regex:
        yield from _header_text(value, limits)


def _header_text(value: str, limits: Any) -> Iterator[str]:
    strict = limits.strict if limits.HasField("strict") else True
    if strict and limits.well_known_regex == validate_pb2.HTTP_HEADER_NAME:
        if value and not _HEADER_NAME.fullmatch(value):
            yield "is no name of a header"
    elif _NOT_IN_HEADERS[limits.well_known_regex].search(value):
        yield "may not contain line breaks"


def _duration(value: Any, limits: Any) -> Iterator[str]:
    seconds = value.seconds + value.nanos / 1e9
    for name, holds, words in _LIMITS:
        if limits.HasField(name):
            limit = getattr(limits, name)
            bound = limit.seconds + limit.nanos / 1e9
            if not holds(seconds, bound):
                yield f"{words} {bound:g}s"
