"""Limits that Envoy does not have: keys of the `fastproxy` filter, of a listener or of routes."""

import math
from collections.abc import Mapping
from typing import Any

from fastproxy.config.own_values import number, text, whole
from fastproxy.config.tree import Node, Report, describe, did_you_mean, words
from fastproxy.model import ConcurrentTunnels, Rate, TrafficLimits, TunnelLimits
from fastproxy.model_affinity import IdPlace, IdSource

LIMIT_KEYS = words("max_url_bytes handshake_rate handshake_rate_per_address tunnel_limits")
"""Of every level."""
MAX_CONNECTIONS_PER_ADDRESS = "max_connections_per_address"
"""Of a listener alone."""

_RATES = (0.01, 1e6)
_MOST = 10**9
_RATE_KEYS = words("per_second burst")
_TUNNEL_KEYS = words(
    "messages_per_second message_burst bytes_per_second byte_burst max_message_bytes when_exceeded max_concurrent "
    "concurrent_per"
)
_SOURCES = {each.value: each for each in (IdSource.HEADER, IdSource.QUERY, IdSource.COOKIE)}


def limit_value(key: str, node: Node, report: Report) -> Any:
    """The value of one of LIMIT_KEYS; None, reported, for one that is mistaken."""
    if key == "max_url_bytes":
        return whole(node, 1, 1 << 20, "the whole head has its own limit", report)
    if not isinstance(node.value, dict):
        report.error(node, f"expected an object, not {describe(node)}")
        return None
    return _tunnel_limits(node, report) if key == "tunnel_limits" else _rate(node, report)


def connections_per_address(node: Node, report: Report) -> int:
    return whole(node, 1, _MOST, "connections at once", report) or 0


def own_limits(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of model.TrafficLimits that the values of LIMIT_KEYS fill."""
    tunnels, concurrent = values.get("tunnel_limits") or (None, None)
    default = TrafficLimits()
    return {
        "max_url_bytes": values.get("max_url_bytes") or default.max_url_bytes,
        "handshakes": values.get("handshake_rate"),
        "handshakes_per_address": values.get("handshake_rate_per_address"),
        "tunnels": tunnels,
        "concurrent_tunnels": concurrent,
    }


def _rate(node: Node, report: Report) -> Rate | None:
    members = _members(node, _RATE_KEYS, report)
    if "per_second" not in members:
        report.error(node, '"per_second" is missing: how many new sessions there may be')
        return None
    per_second = number(members["per_second"], *_RATES, report)
    if per_second is None:
        return None
    return Rate(node.path, per_second, _burst(members.get("burst"), per_second, report))


def _burst(node: Node | None, per_second: float, report: Report) -> int:
    """What may come at once: by default that of a second."""
    given = None if node is None else whole(node, 1, 1 << 20, "at once", report)
    return given or max(1, math.ceil(per_second))


def _tunnel_limits(node: Node, report: Report) -> tuple[TunnelLimits | None, ConcurrentTunnels | None]:
    members = _members(node, _TUNNEL_KEYS, report)
    messages, at_once = _speed(members, "messages_per_second", "message_burst", report)
    amount, bytes_at_once = _speed(members, "bytes_per_second", "byte_burst", report)
    largest, action = members.get("max_message_bytes"), members.get("when_exceeded")
    limits = TunnelLimits(
        messages,
        at_once,
        amount,
        bytes_at_once,
        (largest is not None and whole(largest, 1, 1 << 40, "of one message", report)) or 0,
        action is not None and text(action, ("pause", "close"), report) == "close",
    )
    is_limited = limits.messages_per_second or limits.bytes_per_second or limits.max_message_bytes
    return (limits if is_limited else None), _concurrent(node, members, report)


def _speed(members: Mapping[str, Node], rate: str, burst: str, report: Report) -> tuple[float, int]:
    """A rate and what may come at once; zeros without a rate."""
    if rate not in members:
        if burst in members:
            report.error(members[burst], f'has no effect without "{rate}"', at_key=True)
        return 0, 0
    per_second = number(members[rate], 0.1, _MOST, report)
    if per_second is None:
        return 0, 0
    node = members.get(burst)
    given = None if node is None else whole(node, 1, _MOST, "at once", report)
    return per_second, given or max(1, math.ceil(per_second))


def _concurrent(node: Node, members: Mapping[str, Node], report: Report) -> ConcurrentTunnels | None:
    key = members.get("concurrent_per")
    place = None if key is None else _place(key, report)
    if "max_concurrent" not in members:
        if key is not None:
            report.error(key, 'has no effect without "max_concurrent"', at_key=True)
        return None
    most = whole(members["max_concurrent"], 1, _MOST, "tunnels of one key", report)
    return None if most is None else ConcurrentTunnels(node.path, most, place)


def _place(node: Node, report: Report) -> IdPlace | None:
    """Where the key of a tunnel stands; None for the client's address."""
    kind, _, name = str(node.value).partition(":")
    if node.value == "address":
        return None
    if isinstance(node.value, str) and kind in _SOURCES and name:
        return IdPlace(_SOURCES[kind], name.lower() if kind == "header" else name)
    report.error(node, f"expected address, header:NAME, query:NAME or cookie:NAME, not {describe(node)}")
    return None


def _members(node: Node, known: frozenset[str], report: Report) -> dict[str, Node]:
    """What an object has of some keys; others are reported."""
    members = node.members()
    for key, member in members.items():
        if key not in known:
            report.error(member, f"there is no such key{did_you_mean(key, known)}", at_key=True)
    return {key: member for key, member in members.items() if key in known}
