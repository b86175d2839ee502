"""The user that Locust runs: one session after the other, of the kinds that `--tags` leaves."""

import os
import time
import uuid
from collections.abc import Callable

from locust import User, between, tag, task

from loadtest import kinds, options
from loadtest.kinds import Kind
from loadtest.report import Report
from loadtest.session import Session, SessionError


class SocketIOUser(User):
    """A person with a client: `polling`, `websocket`, `upgrade` and `websocket-first` are tags, equally frequent."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        self.options = options.from_locust(self.environment.parsed_options)
        self.report = Report(self.environment.events.request)
        page = f"{self.host}/index2.html?client_id={uuid.uuid4()}"
        self.headers = {"Referer": page} if self.options.referer else {}

    @tag("polling")
    @task
    def polling(self) -> None:
        self.visit(kinds.POLLING)

    @tag("websocket")
    @task
    def websocket(self) -> None:
        self.visit(kinds.WEBSOCKET)

    @tag("upgrade")
    @task
    def upgrade(self) -> None:
        self.visit(kinds.UPGRADE)

    @tag("websocket-first")
    @task
    def websocket_first(self) -> None:
        self.visit(kinds.WEBSOCKET_FIRST)

    def visit(self, kind: Kind) -> None:
        """A session that is lost in its middle, and the one that the client opens next. An error ends the visit."""
        try:
            self._session(kind, "connect", Session.drop)
            self._session(kind, "reconnect", Session.leave)
        except SessionError:
            return  # it stands in the report

    def _session(self, kind: Kind, entry: str, end: Callable[[Session], None]) -> None:
        session = Session(kind, str(self.host), self.headers, self.options.timeout_s)
        began = time.perf_counter()
        try:
            self._connect(session, entry)
            self._talk(session)
            session.idle(self.options.idle_s)
            self._talk(session)
            end(session)
        except SessionError as error:
            self.report.session(kind, began, error)
            raise
        else:
            self.report.session(kind, began, None)
            self.report.stickiness(session.stickiness)
        finally:
            self.report.violation(session.stickiness)
            session.abandon()

    def _connect(self, session: Session, entry: str) -> None:
        with self.report.timed(entry, session.kind.name):
            session.connect()
        self.report.transport(session)

    def _talk(self, session: Session) -> None:
        for _ in range(self.options.messages):
            with self.report.timed("message", session.kind.name):
                session.echo(uuid.uuid4().hex)
        with self.report.timed("message", session.kind.name):
            session.echo(os.urandom(48))
        with self.report.timed("ack", session.kind.name):
            session.ack(uuid.uuid4().hex)
