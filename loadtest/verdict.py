"""The exit status of a headless run: 2 when a session was lost or left its node, or none was seen to the end."""

import logging
from typing import Any

from locust import events
from locust.runners import WorkerRunner

from loadtest import losses
from loadtest.report import LOST, STICKINESS

STATUS = 2


def judge(environment: Any) -> str:
    """What is wrong with the whole run, in a line, or nothing. Errors of other kinds are left to Locust."""
    kind, name = STICKINESS
    entry = environment.stats.get(name, kind)
    problems = []
    if entry.num_failures:
        problems.append(f"{entry.num_failures} of {entry.num_requests} sessions did not stay on their node")
    if lost := losses_of(environment):
        reasons = ", ".join(f"{count} {reason}" for reason, count in lost.items())
        problems.append(f"{sum(lost.values())} sessions were lost: {reasons}")
    if not entry.num_requests:
        problems.append("no session came to its end: nothing is known about stickiness")
    return "; ".join(problems)


def losses_of(environment: Any) -> dict[str, int]:
    """Lost sessions by reason."""
    entries = {reason: environment.stats.entries.get((reason, LOST)) for reason in losses.REASONS}
    return {reason: entry.num_failures for reason, entry in entries.items() if entry}


def on_quitting(environment: Any, **_: Any) -> None:
    """The master judges for its workers: their figures are its own by now."""
    if isinstance(environment.runner, WorkerRunner):
        return
    if problem := judge(environment):
        logging.error("sessions: %s", problem)
        environment.process_exit_code = STATUS


def register() -> None:
    events.quitting.add_listener(on_quitting)  # type: ignore[no-untyped-call]
