"""Finds every place where a tree does not fit its protobuf message, and mends what it can to go on looking.

`json_format` stops at the first mistake and knows no line; this walk is taken only when it has failed. Mended are
the two forms that Envoy takes and `json_format` does not (enum names in lower case, a boolean or a wrapped value
written the long way); misspelt keys go on under the name that was meant; what cannot be mended is left out.
"""

import base64
import binascii
import math
import re
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from fastproxy.config.reasons import MOVED
from fastproxy.config.tree import Node, Report, closest, describe, did_you_mean, shorten
from fastproxy.config.type_urls import UnknownType, resolve

DURATION = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?s")
_UNCHECKED = frozenset(f"google.protobuf.{name}" for name in ("Struct", "Value", "ListValue", "Timestamp", "FieldMask"))
WRAPPERS = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Bool", "String", "Bytes", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double")
)
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_NUMBERS = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)


class _Misfit(Exception):
    """Why a scalar does not fit its field: what was expected, or the whole sentence."""


def field_of(descriptor: Descriptor, key: str) -> FieldDescriptor | None:
    """The field that a key of the JSON form names, in snake_case or lowerCamelCase."""
    found = descriptor.fields_by_name.get(key)
    return found if found is not None else descriptor.fields_by_camelcase_name.get(key)


def is_message(field: FieldDescriptor) -> bool:
    return field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE


def message_of(field: FieldDescriptor) -> Descriptor:
    """The message that a field holds."""
    assert field.message_type is not None
    return field.message_type


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """The enum of which a field holds a value."""
    assert field.enum_type is not None
    return field.enum_type


def is_map(field: FieldDescriptor) -> bool:
    return is_message(field) and bool(message_of(field).GetOptions().map_entry)


def mend(node: Node, descriptor: Descriptor, report: Report) -> Node | None:
    """The tree as far as it fits the message; None when nothing of it does. Every misfit is reported."""
    name = descriptor.full_name
    if name == "google.protobuf.Any":
        return _mend_any(node, report)
    if name in _UNCHECKED:
        return node
    if name in WRAPPERS:
        return _mend_wrapped(node, descriptor, report)
    if name == "google.protobuf.Duration":
        return _mend_duration(node, report)
    if not isinstance(node.value, dict):
        report.error(node, f"expected an object, not {describe(node)}")
        return None
    return _mend_members(node, descriptor, report)


def _mend_members(node: Node, descriptor: Descriptor, report: Report) -> Node:
    mended: dict[str, Node] = {}
    chosen: dict[str, str] = {}
    damaged = False
    for key, member in node.members().items():
        field = field_of(descriptor, key) or _meant(key, member, node, descriptor, report)
        damaged = damaged or field is None
        if field is None or member.value is None:
            continue
        if field.name in mended:
            report.error(member, f'"{field.name}" is set twice, in two spellings', at_key=True)
            continue
        oneof = field.containing_oneof
        if oneof is not None and oneof.name in chosen:
            report.error(member, f'only one of "{chosen[oneof.name]}" and "{key}" may be set', at_key=True)
            continue
        if oneof is not None:
            chosen[oneof.name] = key
        value = _mend_field(member, field, report)
        if value is None:
            damaged = True
        else:
            mended[field.name] = value
    return node.with_value(mended, damaged=damaged)


def _meant(key: str, member: Node, node: Node, descriptor: Descriptor, report: Report) -> FieldDescriptor | None:
    """Reports an unknown key; the field that was meant if it is near and not there already."""
    if report.allow_unknown:
        report.warning(member, f"has no effect here: there is no such key in {descriptor.name}", at_key=True)
        return None
    moved = MOVED.get((descriptor.name, key))
    if moved is not None:
        report.error(member, f'"{key}" {moved}', at_key=True)
        return None
    known = [name for name in descriptor.fields_by_name if not name.startswith("hidden_envoy")]
    hint = did_you_mean(key, known)
    report.error(member, f"there is no such key in {descriptor.name}{hint or '; remove it'}", at_key=True)
    near = closest(key, known)
    return None if near is None or near in node.members() else descriptor.fields_by_name[near]


def _mend_field(node: Node, field: FieldDescriptor, report: Report) -> Node | None:
    if is_map(field):
        return _mend_map(node, message_of(field).fields_by_name["value"], report)
    if not field.is_repeated:
        return _mend_one(node, field, report)
    if not isinstance(node.value, list):
        report.error(node, f"expected a list, not {describe(node)}")
        return None
    items = [_mend_one(item, field, report) for item in node.value]
    kept = [item for item in items if item is not None]
    return node.with_value(kept, damaged=len(kept) < len(items))


def _mend_map(node: Node, field: FieldDescriptor, report: Report) -> Node | None:
    if not isinstance(node.value, dict):
        report.error(node, f"expected an object, not {describe(node)}")
        return None
    values = {key: _mend_one(member, field, report) for key, member in node.value.items()}
    kept = {key: value for key, value in values.items() if value is not None}
    return node.with_value(kept, damaged=len(kept) < len(values))


def _mend_one(node: Node, field: FieldDescriptor, report: Report) -> Node | None:
    if is_message(field):
        return mend(node, message_of(field), report)
    try:
        return node.with_value(scalar(node, field))
    except _Misfit as misfit:
        words = str(misfit)
        report.error(node, f"{words}, not {describe(node)}" if words.startswith("expected") else words)
        return None


def _mend_any(node: Node, report: Report) -> Node | None:
    url = node.get("@type")
    if url is None or not isinstance(url.value, str):
        report.error(node, 'expected an object with "@type", the type URL of what it configures')
        return None
    try:
        descriptor = resolve(url.value)
    except UnknownType as unknown:
        report.error(url, str(unknown))
        return None
    members = {key: member for key, member in node.members().items() if key != "@type"}
    if descriptor.full_name.startswith("google.protobuf."):
        return node
    mended = mend(node.with_value(members), descriptor, report)
    if mended is None:
        return node.with_value({"@type": url})
    return mended.with_value({"@type": url, **mended.members()})


def _mend_wrapped(node: Node, descriptor: Descriptor, report: Report) -> Node | None:
    inner = node.get("value") if isinstance(node.value, dict) and set(node.value) == {"value"} else node
    return _mend_one(inner or node, descriptor.fields_by_name["value"], report)


def _mend_duration(node: Node, report: Report) -> Node | None:
    if isinstance(node.value, str) and DURATION.fullmatch(node.value):
        return node
    report.error(node, f'expected a duration in seconds such as "0.25s", not {describe(node)}')
    return None


def scalar(node: Node, field: FieldDescriptor) -> Any:
    """The value in the type of the field. Raises _Misfit."""
    value = node.value
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return _enum(value, enum_of(field))
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _boolean(value)
    if field.cpp_type in _RANGES:
        return _integer(value, *_RANGES[field.cpp_type])
    if field.cpp_type in _NUMBERS:
        return _number(value)
    if not isinstance(value, str):
        raise _Misfit("expected text in quotes")
    if field.type == FieldDescriptor.TYPE_BYTES:
        _check_base64(value)
    return value


def _enum(value: Any, enum: EnumDescriptor) -> Any:
    if isinstance(value, int) and value in enum.values_by_number:
        return value
    if isinstance(value, str) and value.upper() in enum.values_by_name:
        return value.upper()
    if isinstance(value, str):
        raise _Misfit(f'there is no {enum.name} "{shorten(value)}"{did_you_mean(value, enum.values_by_name)}')
    raise _Misfit(f"expected the name of a {enum.name} such as {enum.values[0].name}")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _Misfit("expected true or false")


def _integer(value: Any, low: int, high: int) -> int:
    number = _number(value, "a whole number")
    if not math.isfinite(number) or number != int(number) or not low <= number <= high:
        raise _Misfit(f"expected a whole number from {low} to {high}")
    return int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else int(number)


def _number(value: Any, kind: str = "a number") -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        if isinstance(value, str) and len(value) < 40:
            return int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        pass
    raise _Misfit(f"expected {kind}")


def _check_base64(value: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        raise _Misfit("expected base64") from None
