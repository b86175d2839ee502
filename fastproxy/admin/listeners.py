"""`/listeners`: names and the addresses that were really bound, a chosen port included."""

import json
from http import HTTPStatus

from fastproxy.admin.reply import JSON, Query, Reply
from fastproxy.status import Status


def listeners(status: Status, query: Query) -> Reply:
    match query.get("format", "text"):
        case "text":
            return Reply("".join(f"{name}::{address}\n" for name, address in status.listeners))
        case "json":
            return Reply(_as_json(status), content_type=JSON)
    return Reply("usage: /listeners?format=(json|text)\n\n", HTTPStatus.BAD_REQUEST)


def _as_json(status: Status) -> str:
    statuses = [
        {"name": name, "local_address": {"socket_address": {"address": address.host, "port_value": address.port}}}
        for name, address in status.listeners
    ]
    return json.dumps({"listener_statuses": statuses}, indent=1) + "\n"
