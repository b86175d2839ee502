"""What the load test takes on Locust's command line, and in its web page, beside Locust's own options."""

from dataclasses import dataclass
from typing import Any

from locust import events


@dataclass(frozen=True, slots=True)
class Options:
    messages: int
    idle_s: float
    timeout_s: float
    referer: bool


def from_locust(parsed: Any) -> Options:
    return Options(parsed.session_messages, parsed.session_idle, parsed.answer_timeout, parsed.referer)


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


def register() -> None:
    events.init_command_line_parser.add_listener(add)  # type: ignore[no-untyped-call]
