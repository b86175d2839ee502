"""What hosts say of themselves for load balancing, and what is compared with that (Envoy: core.v3.Metadata, envoy.lb).

A value is kept as canonical JSON: equal values are equal texts, numbers as the floats that they are.
"""

import json
from typing import Any

from google.protobuf.json_format import MessageToDict

_FILTER = "envoy.lb"


def balancing_metadata(metadata: Any) -> dict[str, Any]:
    """The part of the message that is about load balancing, as JSON has it."""
    if _FILTER not in metadata.filter_metadata:
        return {}
    found: dict[str, Any] = MessageToDict(metadata.filter_metadata[_FILTER])
    return found


def labels_of(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a host is compared with: (key, value)."""
    return tuple((key, _canonical(fields[key])) for key in sorted(fields))


def host_labels_of(fields: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a host has: (key, values); a list stands for any of its members."""
    return tuple((key, _each(fields[key])) for key in sorted(fields))


def _each(value: Any) -> tuple[str, ...]:
    return tuple(map(_canonical, value)) if isinstance(value, list) else (_canonical(value),)


def _canonical(value: Any) -> str:
    return json.dumps(_float(value), sort_keys=True, separators=(",", ":"))


def _float(value: Any) -> Any:
    """The value with all its numbers as floats, zero without a sign."""
    if isinstance(value, bool) or not isinstance(value, (int, float, list, dict)):
        return value
    if isinstance(value, list):
        return [_float(each) for each in value]
    if isinstance(value, dict):
        return {key: _float(each) for key, each in value.items()}
    return float(value) + 0.0
