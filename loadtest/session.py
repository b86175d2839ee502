"""One session of one user: connect, talk, end; every answer is checked, and who sent it."""

import queue
import time
from collections.abc import Callable, Mapping

import socketio

from loadtest import losses
from loadtest.clients import Client
from loadtest.hosts import Hosts
from loadtest.kinds import Kind
from loadtest.records import Record
from loadtest.stickiness import Stickiness

WELCOME = "welcome"
CUT = "the connection was cut"
MOST_UNREAD = 1000


class SessionError(Exception):
    """What the server did is not what an echo does."""


class Session:
    """Not connected yet when made. Every method that waits raises SessionError when the answer does not come."""

    def __init__(self, kind: Kind, hosts: Hosts, headers: Mapping[str, str], timeout_s: float) -> None:
        self.kind = kind
        self.stickiness = Stickiness()
        self.upgrade_s: float | None = None
        self.elsewhere = 0  # connections that an address refused and another one took
        self._loss: str | None = None
        self.loss_detail = ""
        self.record = Record(kind.name)
        self._is_welcome = False
        self._has_ended = False
        self._hosts = hosts
        self._headers = headers
        self._timeout_s = timeout_s
        self._answers: queue.Queue[object] = queue.Queue(MOST_UNREAD)
        self._acks: queue.Queue[object] = queue.Queue(MOST_UNREAD)
        self._client = Client(self, hosts, timeout_s)

    @property
    def loss(self) -> str | None:
        """Why it was lost after it had begun; None while it is whole."""
        return losses.MOVED if self.stickiness.has_moved else self._loss

    def on_refused(self, status: int, body: bytes, is_poll: bool) -> None:
        if self._has_ended:
            return
        self.stickiness.refused(status)
        if is_poll:
            self._lose(losses.of_response(status, body), str(status))
            self._on_disconnect()

    def on_failed(self, error: Exception) -> None:
        if not self._has_ended:
            self._lose(losses.of_error(error), losses.innermost(error))
            self._on_disconnect()

    def on_elsewhere(self) -> None:
        self.elsewhere += 1

    def on_upgraded(self, seconds: float) -> None:
        self.upgrade_s = seconds
        self.record.upgraded = time.time()

    def on_connection(self, port: int, *, is_web_socket: bool) -> None:
        if port not in self.record.ports:
            self.record.ports.append(port)
        if is_web_socket:
            self.record.web_socket = port
            self.record.upgraded = 0.0 if self.kind.upgrades else time.time()

    @property
    def transport(self) -> str:
        return self._client.transport

    def recorded(self, error: Exception | None) -> Record:
        """What it came to; it is over, or is given up now."""
        record = self.record
        record.ended = record.ended or time.time()
        record.node = self.stickiness.node or ""
        record.loss, record.detail = self.loss or "", self.loss_detail
        record.error = "" if error is None else str(error)
        return record

    def connect(self) -> None:
        """Connected and welcomed. The next way is tried when one fails; SessionError when none is left."""
        for transports in self.kind.attempts[:-1]:
            try:
                return self._connect(transports)
            except socketio.exceptions.ConnectionError:
                self._client = Client(self, self._hosts, self._timeout_s)
        try:
            self._connect(self.kind.attempts[-1])
        except socketio.exceptions.ConnectionError as error:
            raise SessionError(f"cannot connect: {reason(error)}") from error

    def _connect(self, transports: tuple[str, ...]) -> None:
        """The library's `connect` comes before the first message, so the welcome says that all of it is there."""
        self._client.io.on("message", self._answers.put)
        self._client.io.on("disconnect", self._on_disconnect)
        self._client.connect(self._headers, transports)
        self._expect(WELCOME)
        self._is_welcome = True
        self.record.welcomed = time.time()

    def echo(self, payload: str | bytes) -> None:
        """Send it and see it come back, text as text and bytes as bytes."""
        self._send(payload)
        self._expect(payload)

    def ack(self, payload: str) -> None:
        """Send it, have it acknowledged, and see it come back."""
        self._send(payload, callback=self._acks.put)
        self._expect(payload, self._acks)
        self._expect(payload)

    def idle(self, seconds: float) -> None:
        """Say nothing; whatever comes in the meantime is a failure."""
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            return
        raise self._cut() if answer is CUT else SessionError("an answer to nothing")

    def drop(self) -> None:
        self._end()
        self._client.drop()

    def leave(self) -> None:
        self._end()
        self._client.leave()

    def abandon(self) -> None:
        self._end()
        self._client.abandon()

    def _end(self) -> None:
        """Nothing that comes now is a loss."""
        self._has_ended = True
        self.record.ended = self.record.ended or time.time()

    def _lose(self, why: str, detail: str = "") -> None:
        """The first reason is the reason: what follows is its consequence."""
        if self._loss is None:
            self._loss, self.loss_detail = why, detail
            self.record.ended = time.time()

    def _on_disconnect(self, _reason: str = "") -> None:
        """Whoever waits for an answer need not wait any longer."""
        for waiting in (self._answers, self._acks):
            waiting.put(CUT)

    def _send(self, payload: str | bytes, callback: Callable[[object], None] | None = None) -> None:
        try:
            self._client.io.send(payload, callback=callback)
        except socketio.exceptions.BadNamespaceError as error:
            raise self._cut() from error

    def _expect(self, payload: str | bytes, source: "queue.Queue[object] | None" = None) -> None:
        """The next answer, or the next ack, says this."""
        try:
            answer = (source or self._answers).get(timeout=self._timeout_s)
        except queue.Empty:
            if self._is_welcome:
                self._lose(losses.TIMEOUT)
            raise SessionError(f"no answer within {self._timeout_s:g} s") from None
        wanted = payload.encode() if isinstance(payload, str) else payload
        if answer is CUT:
            raise self._cut()
        if self.stickiness.see(answer) != wanted or isinstance(answer, str) != isinstance(payload, str):
            raise SessionError("an answer that is not what was sent")

    def _cut(self) -> SessionError:
        if self._is_welcome:
            self._lose(losses.CUT)
        return SessionError(CUT)


def reason(error: Exception) -> str:
    """The kind of a connection error, without the addresses and times that make each one a row of its own."""
    text = str(error)
    return next((known for known in ("Connection refused", "timed out", "reset by peer") if known in text), text)[:120]
