"""The exit status of a headless run: 2 when a session left its node, or when none was seen to the end."""

import logging
from typing import Any

from locust import events
from locust.runners import WorkerRunner

from loadtest.report import STICKINESS

STATUS = 2


def judge(environment: Any) -> str:
    """What is wrong with the whole run, in a line, or nothing. Errors of other kinds are left to Locust."""
    kind, name = STICKINESS
    entry = environment.stats.get(name, kind)
    if entry.num_failures:
        return f"{entry.num_failures} of {entry.num_requests} sessions did not stay on their node"
    if not entry.num_requests:
        return "no session came to its end: nothing is known about stickiness"
    return ""


def on_quitting(environment: Any, **_: Any) -> None:
    """The master judges for its workers: their figures are its own by now."""
    if isinstance(environment.runner, WorkerRunner):
        return
    if problem := judge(environment):
        logging.error("stickiness: %s", problem)
        environment.process_exit_code = STATUS


def register() -> None:
    events.quitting.add_listener(on_quitting)  # type: ignore[no-untyped-call]
