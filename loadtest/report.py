"""What a visit is in Locust's table: a row per step and kind of user, and one row for stickiness."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loadtest.kinds import Kind
from loadtest.losses import LostSession
from loadtest.session import Session, SessionError
from loadtest.stickiness import Stickiness

STICKINESS = ("stickiness", "one node per session")
LOST = "lost"
ELSEWHERE = ("elsewhere", "connection refused")


class Report:
    """`request` is Locust's event of that name."""

    def __init__(self, request: Any) -> None:
        self._request = request

    @contextmanager
    def timed(self, step: str, name: str) -> Iterator[None]:
        """One row entry: how long the block took; a SessionError makes it a failure and goes on up."""
        began = time.perf_counter()
        try:
            yield
        except SessionError as error:
            self._fire(step, name, time.perf_counter() - began, error)
            raise
        self._fire(step, name, time.perf_counter() - began)

    def transport(self, session: Session) -> None:
        """The upgrade, or its failure, where a kind has one; a session that ended up on another transport."""
        kind, is_there = session.kind, session.transport == session.kind.transport
        error = None if is_there else SessionError(f"went on as {session.transport}")
        if kind.upgrades:
            self._fire("upgrade", kind.name, session.upgrade_s or 0.0, error)
        elif error:
            self._fire("connect", kind.name, 0.0, error)

    def session(self, kind: Kind, began: float, error: SessionError | None) -> None:
        self._fire("session", kind.name, time.perf_counter() - began, error)

    def hosts(self, session: Session) -> None:
        """Connections that one address refused and another one took; a session that was lost, by its reason."""
        for _ in range(session.elsewhere):
            self._fire(*ELSEWHERE, 0.0)
        if session.loss:
            self._fire(LOST, session.loss, 0.0, LostSession(f"{session.kind.name} {session.loss_detail}".strip()))

    def stickiness(self, seen: Stickiness) -> None:
        """A whole session on one node."""
        if not seen.violation:
            self._fire(*STICKINESS, 0.0)

    def violation(self, seen: Stickiness) -> None:
        """However the session ended."""
        if seen.violation:
            self._fire(*STICKINESS, 0.0, seen.violation)

    def _fire(self, step: str, name: str, seconds: float, error: Exception | None = None) -> None:
        self._request.fire(
            request_type=step,
            name=name,
            response_time=seconds * 1000,
            response_length=0,
            exception=error,
            context={},
        )
