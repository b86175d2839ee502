"""What the load test takes on Locust's command line, and in its web page, beside Locust's own options."""

from dataclasses import dataclass
from typing import Any

from locust import events

from loadtest import kinds
from loadtest.kinds import Kind

SCENARIOS = ("scale", "nomad")


@dataclass(frozen=True, slots=True)
class Options:
    messages: int
    idle_s: float
    timeout_s: float
    referer: bool
    hosts: tuple[str, ...]  # none: Locust's own --host
    kinds: tuple[Kind, ...]
    life_s: float
    talk_s: float
    session_log: str


def from_locust(parsed: Any) -> Options:
    return Options(
        messages=parsed.session_messages,
        idle_s=parsed.session_idle,
        timeout_s=parsed.answer_timeout,
        referer=parsed.referer,
        hosts=tuple(filter(None, parsed.hosts.split(","))),
        kinds=tuple(kind for kind in kinds.ALL if kind.name in parsed.session_kinds.split(",")),
        life_s=parsed.session_life,
        talk_s=parsed.talk_every,
        session_log=parsed.session_log,
    )


def add(parser: Any) -> None:
    """Not as a group of their own: Locust's page shows only what its own parser was given."""
    parser.add_argument(
        "--session-messages", type=int, default=5, help="Messages that a session sends before it idles, and after (5)"
    )
    parser.add_argument(
        "--session-idle", type=float, default=1.0, help="Seconds that a session is silent in its middle (1)"
    )
    parser.add_argument(
        "--answer-timeout", type=float, default=10.0, help="Seconds until a missing answer is a failure (10)"
    )
    parser.add_argument(
        "--referer",
        action="store_true",
        help="Send a Referer with a client_id of each user's own, as a page of index2.html does on its polls",
    )
    parser.add_argument(
        "--hosts",
        default="",
        help="Addresses of several proxies with the same nodes, instead of --host: http://a,http://b",
    )
    parser.add_argument(
        "--session-kinds", default="polling,websocket,upgrade", help="Kinds of sessions of the tags scale and nomad"
    )
    parser.add_argument(
        "--session-life", type=float, default=60.0, help="Seconds that a session of the tags scale and nomad lasts (60)"
    )
    parser.add_argument(
        "--talk-every", type=float, default=5.0, help="Seconds between its messages, half to one and a half of it (5)"
    )
    parser.add_argument(
        "--session-log", default="", help="A file for one line of JSON for each session that ended, its node, its ports"
    )


def leave_out_scenarios(environment: Any, **_: Any) -> None:
    """They run only where they are asked for: they need somebody who operates the proxy meanwhile."""
    parsed = environment.parsed_options
    if not parsed.tags:
        environment.exclude_tags = [*(parsed.exclude_tags or ()), *SCENARIOS]


def register() -> None:
    events.init_command_line_parser.add_listener(add)  # type: ignore[no-untyped-call]
    events.init.add_listener(leave_out_scenarios)  # type: ignore[no-untyped-call]
