"""`/listeners`: names and the addresses that were really bound, a chosen port included."""

import json
from http import HTTPStatus
from typing import Any

from fastproxy.admin.reply import JSON, Query, Reply
from fastproxy.model import Address
from fastproxy.status import Status


def listeners(status: Status, query: Query) -> Reply:
    match query.get("format", "text"):
        case "text":
            return Reply("".join(f"{name}::{address}\n" for name, address in status.listeners))
        case "json":
            return Reply(_as_json(status), content_type=JSON)
    return Reply("usage: /listeners?format=(json|text)\n\n", HTTPStatus.BAD_REQUEST)


def _as_json(status: Status) -> str:
    """The first address of a listener is its own, the others are additional."""
    by_name: dict[str, list[Address]] = {}
    for name, address in status.listeners:
        by_name.setdefault(name, []).append(address)
    statuses: list[dict[str, Any]] = []
    for name, (own, *additional) in by_name.items():
        statuses.append({"name": name, "local_address": _address(own)})
        if additional:
            statuses[-1]["additional_local_addresses"] = [_address(one) for one in additional]
    return json.dumps({"listener_statuses": statuses}, indent=1) + "\n"


def _address(address: Address) -> dict[str, Any]:
    """Envoy's core.v3.Address."""
    if address.path:
        return {"pipe": {"path": address.path}}
    return {"socket_address": {"address": address.host, "port_value": address.port}}
