"""All paths of the admin, and the help that lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastproxy.admin.clusters import clusters
from fastproxy.admin.guard import refusal
from fastproxy.admin.listeners import listeners
from fastproxy.admin.ready import ready
from fastproxy.admin.reply import Handler, Query, Reply
from fastproxy.admin.server_info import server_info
from fastproxy.admin.stats import prometheus, stats
from fastproxy.status import Status


@dataclass(frozen=True, slots=True)
class Command:
    """One path; `parameters` are (name, what it does)."""

    path: str
    about: str
    handler: Handler
    parameters: tuple[tuple[str, str], ...] = ()
    mutates: bool = False
    """It changes something: only a POST may ask for it."""


def quit_server(status: Status, query: Query) -> Reply:
    status.orders.end()
    return Reply("OK\n")


def reopen_logs(status: Status, query: Query) -> Reply:
    status.orders.reopen_logs()
    return Reply("OK\n")


def help_text(status: Status, query: Query) -> Reply:
    return Reply(_help())


COMMANDS = (
    Command("/", "Admin home page", help_text),
    Command(
        "/clusters",
        "upstream cluster status",
        clusters,
        (("filter", "Regular expression for filtering clusters by name"),),
    ),
    Command("/help", "print out list of admin commands", help_text),
    Command("/listeners", "print listener info", listeners, (("format", "File format to use; One of (text, json)"),)),
    Command("/quitquitquit", "exit the server", quit_server, mutates=True),
    Command("/ready", "print server state, return 200 if LIVE, otherwise return 503", ready),
    Command("/reopen_logs", "reopen access logs", reopen_logs, mutates=True),
    Command("/server_info", "print server version/status information", server_info),
    Command(
        "/stats",
        "print server stats",
        stats,
        (
            ("usedonly", "Only include stats that have been written by system since restart"),
            ("filter", "Regular expression for filtering stats"),
            ("format", "Format to use; One of (text, json, prometheus)"),
            ("type", "Stat types to include.; One of (All, Counters, Histograms, Gauges, TextReadouts)"),
        ),
    ),
    Command(
        "/stats/prometheus",
        "print server stats in prometheus format",
        prometheus,
        (
            ("usedonly", "Only include stats that have been written by system since restart"),
            ("filter", "Regular expression for filtering stats"),
            ("type", "Stat types to include.; One of (All, Counters, Histograms, Gauges, TextReadouts)"),
        ),
    ),
)
_BY_PATH = {command.path: command for command in COMMANDS}


def answer(status: Status, path: str, query: Query, method: str, headers: Mapping[str, str]) -> Reply:
    """The reply of the command at `path`; 404 with the help where there is none, and what `guard` refuses."""
    command = _BY_PATH.get(path)
    refused = refusal(method, headers, command is not None and command.mutates)
    if refused is not None:
        return refused
    if command is None:
        return Reply(f"invalid path. {_help()}", HTTPStatus.NOT_FOUND)
    return command.handler(status, query)


def _help() -> str:
    lines = ["admin commands are:"]
    for command in COMMANDS:
        lines.append(f"  {command.path}{' (POST)' * command.mutates}: {command.about}")
        lines += (f"      {name}: {about}" for name, about in command.parameters)
    return "\n".join(lines) + "\n"
