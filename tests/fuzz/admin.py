"""A target for atheris: whatever a request to the admin says, it is answered, and only a POST of no page does more."""

from http import HTTPStatus
from urllib.parse import parse_qsl

import atheris

with atheris.instrument_imports(include=["fastproxy.admin"]):
    from fastproxy.admin.access_log import Entry
    from fastproxy.admin.commands import COMMANDS, answer

from fastproxy.status import Orders
from tests.fuzz.fuzzing import fuzz
from tests.unit.admin_status import Server

SERVER = Server()
DONE: list[str] = []
SERVER.status.orders = Orders(lambda: DONE.append("end"), lambda: DONE.append("reopen"))
MUTATING = {command.path for command in COMMANDS if command.mutates}


def one_input(data: bytes) -> None:
    """The first line is method and target, the others are headers."""
    first, *lines = data.decode("utf-8", "surrogateescape").split("\n")
    method, _, target = first.partition(" ")
    path, _, query = target.partition("?")
    pairs = (line.partition(":")[::2] for line in lines)
    headers = {name.strip().title(): value.strip() for name, value in pairs}
    DONE.clear()
    reply = answer(SERVER.status, path, dict(parse_qsl(query, keep_blank_values=True)), method, headers)
    assert isinstance(reply.status, HTTPStatus)
    assert reply.status < HTTPStatus.INTERNAL_SERVER_ERROR or path == "/ready"
    assert all("\n" not in value and "\r" not in value for value in reply.headers.values())
    assert (
        not DONE
        or (method == "POST" and path in MUTATING and "Sec-Fetch-Site" not in headers)
        or (headers.get("Sec-Fetch-Site", "").lower() not in ("cross-site", "same-site"))
    )
    line = Entry(0, method, target, reply.status, 0, 0, 0, user_agent=headers.get("User-Agent", "")).line()
    assert line.count("\n") == 1
    assert line.encode("utf-8", "backslashreplace")


if __name__ == "__main__":
    fuzz(one_input, is_python=True)
