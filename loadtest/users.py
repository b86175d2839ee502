"""The user that Locust runs: one session after the other, of the kinds that `--tags` leaves."""

import contextlib
import os
import random
import time
import uuid
from collections.abc import Iterator

from locust import User, between, tag, task

from loadtest import kinds, options
from loadtest.hosts import Hosts
from loadtest.kinds import Kind
from loadtest.report import Report
from loadtest.session import Session, SessionError


class SocketIOUser(User):
    """A person with a client: `polling`, `websocket`, `upgrade` and `websocket-first` are tags, equally frequent."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        self.options = options.from_locust(self.environment.parsed_options)
        self.report = Report(self.environment.events.request)
        self.urls = self.options.hosts or (str(self.host),)
        page = f"{self.urls[0]}/index2.html?client_id={uuid.uuid4()}"
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

    @tag("scale")
    @task
    def scale(self) -> None:
        """A long session, while nodes come and go and the proxy restarts."""
        self.stay(Hosts(self.urls))

    @tag("nomad")
    @task
    def nomad(self) -> None:
        """A long session of a client whose requests go through any of several proxies."""
        self.stay(Hosts(self.urls, roams=True))

    def visit(self, kind: Kind) -> None:
        """A session that is lost in its middle, and the one that the client opens next. An error ends the visit."""
        for entry, end in (("connect", Session.drop), ("reconnect", Session.leave)):
            session = Session(kind, Hosts(self.urls), self.headers, self.options.timeout_s)
            with contextlib.suppress(SessionError), self._reported(session):  # an error stands in the report
                self._connect(session, entry)
                self._talk(session)
                session.idle(self.options.idle_s)
                self._talk(session)
                end(session)
                continue
            return

    def stay(self, hosts: Hosts) -> None:
        """One session that says something now and then until its time is over."""
        session = Session(random.choice(self.options.kinds), hosts, self.headers, self.options.timeout_s)
        ends = time.monotonic() + self.options.life_s
        with contextlib.suppress(SessionError), self._reported(session):
            self._connect(session, "connect")
            while time.monotonic() < ends:
                session.idle(self.options.talk_s * random.uniform(0.5, 1.5))
                self._say(session)
            session.leave()

    @contextlib.contextmanager
    def _reported(self, session: Session) -> Iterator[None]:
        """A whole session, or the SessionError that ends it."""
        began = time.perf_counter()
        failure: SessionError | None = None
        try:
            yield
        except SessionError as error:
            failure = error
            self.report.session(session.kind, began, error)
            raise
        else:
            self.report.session(session.kind, began, None)
            self.report.stickiness(session.stickiness)
        finally:
            self.report.violation(session.stickiness)
            self.report.hosts(session)
            if self.options.session_log:
                session.recorded(failure).write(self.options.session_log)
            session.abandon()

    def _connect(self, session: Session, entry: str) -> None:
        with self.report.timed(entry, session.kind.name):
            session.connect()
        self.report.transport(session)

    def _talk(self, session: Session) -> None:
        for _ in range(self.options.messages):
            self._say(session)
        with self.report.timed("message", session.kind.name):
            session.echo(os.urandom(48))
        with self.report.timed("ack", session.kind.name):
            session.ack(uuid.uuid4().hex)

    def _say(self, session: Session) -> None:
        with self.report.timed("message", session.kind.name):
            session.echo(uuid.uuid4().hex)
