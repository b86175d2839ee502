"""Values of a v1 file in the form that v3 has for them."""

from dataclasses import replace
from typing import Any

from fastproxy.config.addresses import parse_url
from fastproxy.config.tree import Node, Report, wrap

TYPES = "type.googleapis.com/envoy.extensions."

_UNIX = "unix://"
_NOWHERE = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
"""Stands in for an address that was reported, so that the rest of the file can still be read."""


def address(node: Node, key: str, report: Report, *, may_be_unix: bool = False) -> Node:
    """The address that a key of this object holds."""
    url = node.get(key)
    if may_be_unix and url is not None and isinstance(url.value, str) and url.value.startswith(_UNIX):
        return wrap(url, {"pipe": {"path": url.value.removeprefix(_UNIX)}})
    found = None if url is None else parse_url(url, report)
    if url is None or found is None:
        return wrap(replace(url or node, damaged=True), _NOWHERE)
    return wrap(url, {"socket_address": {"address": found[0], "port_value": found[1]}})


def duration(node: Node | None, per_second: int = 1000) -> Node | None:
    """A number of milliseconds (or of `1 / per_second` s) as v3's text in seconds."""
    if node is None or not isinstance(node.value, int):
        return None
    whole, rest = divmod(node.value, per_second)
    return node.with_value(f"{whole}.{rest:03d}s" if rest else f"{whole}s")


def upper(node: Node | None) -> Node | None:
    """The name of an enum's value."""
    return node.with_value(str(node.value).upper()) if node else None


def is_true(node: Node | None) -> bool:
    return node is not None and node.value is True


def each(node: Node | None, translate: Any) -> Node | None:
    """A list with every element translated."""
    return node and node.with_value([translate(item) for item in node.items()])


def headers_to_add(node: Node | None) -> Node | None:
    """v1 appends, which is what v3 does where it is not told otherwise."""
    return each(node, lambda item: wrap(item, {"header": {"key": item.get("key"), "value": item.get("value")}}))
