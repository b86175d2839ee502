"""Which path is answered by what."""

import pytest

from fastproxy.admin.commands import COMMANDS, answer
from tests.unit.admin_status import Server


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.path)
def test_every_path_answers_and_is_in_the_help(command):
    status = Server().status
    assert answer(status, command.path, {}).status == 200
    assert f"  {command.path}: {command.about}\n" in answer(status, "/help", {}).text


def test_our_help_lines_are_lines_of_envoys(golden):
    """The paths are Envoy's and say what Envoy says; parameters may be fewer."""
    recorded = (golden / "admin" / "nosuch.txt").read_text().splitlines()
    for command in COMMANDS:
        assert f"  {command.path}: {command.about}" in recorded


def test_an_unknown_path(golden):
    reply = answer(Server().status, "/nosuch", {})
    recorded = (golden / "admin" / "nosuch.txt").read_text()
    assert reply.status == 404
    assert reply.text.splitlines()[0] == recorded.splitlines()[0]
    assert reply.text.removeprefix("invalid path. ") == answer(Server().status, "/help", {}).text
