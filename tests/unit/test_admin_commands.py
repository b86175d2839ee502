"""Which path is answered by what."""

import pytest

from fastproxy.admin.commands import COMMANDS, answer
from fastproxy.status import Orders
from tests.unit.admin_status import Server


def help_line(command):
    return f"  {command.path}{' (POST)' if command.mutates else ''}: {command.about}"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.path)
def test_every_path_answers_and_is_in_the_help(command):
    status = Server().status
    method = "POST" if command.mutates else "GET"
    assert answer(status, command.path, {}, method, {}).status == 200
    assert help_line(command) in answer(status, "/help", {}, "GET", {}).text.splitlines()


def test_our_help_lines_are_lines_of_envoys(golden):
    """The paths are Envoy's and say what Envoy says; parameters may be fewer."""
    recorded = (golden / "admin" / "nosuch.txt").read_text().splitlines()
    for command in COMMANDS:
        assert help_line(command) in recorded


def test_an_unknown_path(golden):
    reply = answer(Server().status, "/nosuch", {}, "GET", {})
    recorded = (golden / "admin" / "nosuch.txt").read_text()
    assert reply.status == 404
    assert reply.text.splitlines()[0] == recorded.splitlines()[0]
    assert reply.text.removeprefix("invalid path. ") == answer(Server().status, "/help", {}, "GET", {}).text


@pytest.mark.parametrize(("path", "order"), [("/quitquitquit", "end"), ("/reopen_logs", "reopen_logs")])
def test_orders(path, order):
    done: list[str] = []
    status = Server().status
    status.orders = Orders(**{order: lambda: done.append(order)})
    assert answer(status, path, {}, "GET", {}).text == "Method GET not allowed, POST required."
    assert answer(status, path, {}, "POST", {"Origin": "https://evil.test"}).status == 403
    assert done == []
    assert answer(status, path, {}, "POST", {}).text == "OK\n"
    assert done == [order]
