"""One worker process: an event loop, an engine in it, and a channel to the supervisor.

Knows nothing of forks and of other workers. The engine carries the traffic; what is here happens once a second or when
the supervisor says so. The end of the channel means that the supervisor is gone: then the worker drains and ends too.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import uvloop

from fastproxy import control, handovers
from fastproxy.model import Configuration, Host
from fastproxy.stats import StatsLayout

log = logging.getLogger("fastproxy.worker")

TICK_S = 1.0
DRAIN_POLL_S = 0.01
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
WORK_FAILURES_PER_TICK = 100
"""An engine that fails this often in one second will not recover: the worker ends and is replaced."""


class EngineLike(Protocol):
    """What a worker needs of fastproxy.engine.Engine."""

    @property
    def exchanges(self) -> int: ...
    def fileno(self) -> int: ...
    def heed(self, fd: int) -> None: ...
    def work(self) -> None: ...
    def listen(self, fd: int, listener_index: int, number: int | None = None) -> None: ...
    def prepare(self, configuration: Configuration, layout: StatsLayout) -> None: ...
    def abandon(self) -> None: ...
    def commit(self, listeners: Mapping[int, int]) -> None: ...
    def stop_listening(self) -> None: ...
    def drain(self) -> None: ...
    def set_hosts(self, cluster_name: str, hosts: tuple[Host, ...]) -> None: ...
    def set_health(self, cluster_name: str, found: Mapping[str, int]) -> None: ...
    def report_failures(self, report: Callable[[str, str, str], None]) -> None: ...
    def flush_logs(self) -> None: ...
    def sweep(self) -> None: ...
    def reopen_logs(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one worker works with. `listeners` are (number of the socket, place in the configuration, descriptor); the
    worker closes the descriptors when it stops listening."""

    index: int
    configuration: Configuration
    layout: StatsLayout
    rows: Sequence[memoryview]
    """The counters of every worker: each writes its own and reads all."""
    sessions: memoryview
    session_key: bytes
    listeners: Sequence[tuple[int, int, int]]
    channel: control.Channel
    grace_s: float
    limits: memoryview | None = None
    """The tables of limits; None: this worker has some of its own."""
    overload: memoryview | None = None
    """What the supervisor's overload manager tells all workers."""

    @property
    def row(self) -> memoryview:
        """Where this worker counts."""
        return self.rows[self.index]


Build = Callable[[Assignment], EngineLike]


def load_data_plane() -> Build:
    """Import the compiled data plane, before any fork so that the workers share its pages."""
    from fastproxy.engine import Engine
    from fastproxy.limit_tables import LimitTables
    from fastproxy.overload import Overload
    from fastproxy.runtime import Runtime

    def build(given: Assignment) -> EngineLike:
        rows, row = given.rows, given.row
        tables = None
        if given.limits is not None:
            tables = LimitTables(given.limits, given.session_key, given.index, len(rows))
        sessions, key = given.sessions, given.session_key
        runtime = Runtime(given.configuration, given.layout, row, sessions, key, rows=rows, tables=tables)
        return Engine(runtime, Overload(given.overload))

    return build


class Worker:
    """Runs until it is told to end. `run` may raise while it builds; afterwards only the exit status tells."""

    def __init__(self, assignment: Assignment, build: Build) -> None:
        self._channel = assignment.channel
        self._grace_s = assignment.grace_s
        self._sockets = {number: fd for number, _, fd in assignment.listeners}
        self._engine = build(assignment)
        for number, listener_index, fd in assignment.listeners:
            self._engine.listen(fd, listener_index, number)
        self._engine.report_failures(self._report)
        self._listening = set(self._sockets)
        self._prepared: control.Prepare | None = None
        self._loop = uvloop.new_event_loop()
        self._deadline: float | None = None
        self._work_failures = 0
        self._exit_status = 0

    def run(self) -> int:
        """Serve until the end; the exit status."""
        self._watch()
        self._loop.call_soon(self._begin)
        try:
            self._loop.run_forever()
        finally:
            self._engine.close()
        return self._exit_status

    def _watch(self) -> None:
        loop = self._loop
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        loop.set_exception_handler(self._failed)
        loop.add_reader(self._engine.fileno(), self._engine.work)
        loop.add_reader(self._channel.fileno(), self._receive)
        self._engine.heed(self._channel.fileno())
        loop.add_signal_handler(signal.SIGTERM, self._drain, self._grace_s)
        loop.add_signal_handler(signal.SIGUSR1, self._engine.reopen_logs)
        loop.call_later(TICK_S, self._tick)

    def _begin(self) -> None:
        """The loop runs. Signals have waited for that: uvloop loses one that comes behind its handler and before."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self._channel.send(control.Started())

    def _tick(self) -> None:
        self._work_failures = 0
        self._engine.flush_logs()
        self._engine.sweep()
        self._channel.flush()
        self._loop.call_later(TICK_S, self._tick)

    def _receive(self) -> None:
        messages = self._channel.receive()
        if messages is None:
            log.warning("the supervisor is gone, draining")
            self._loop.remove_reader(self._channel.fileno())
            self._drain(self._grace_s)
            return
        for message in messages:
            self._obey(message)

    def _obey(self, message: control.Message) -> None:
        match message:
            case control.Hosts(cluster, hosts):
                self._engine.set_hosts(cluster, hosts)
            case control.HostHealth(cluster, found):
                self._engine.set_health(cluster, dict(found))
            case control.ReopenLogs():
                self._engine.reopen_logs()
            case control.Sockets(numbers):
                self._sockets |= {number: self._channel.fds.popleft() for number in numbers}
            case control.Prepare():
                self._prepare(message, self._channel.fds.popleft())
            case control.Commit():
                self._commit()
            case control.Abandon():
                self._abandon()
            case control.Drain(grace_s):
                self._drain(grace_s)
            case control.Stop():
                self._loop.stop()

    def _report(self, cluster: str, address: str, kind: str) -> None:
        self._channel.send(control.Failing(cluster, address, kind))

    def _prepare(self, message: control.Prepare, file: int) -> None:
        """Make the configuration in the file ready; it is no failure of this worker when it cannot."""
        error = ""
        try:
            handover = handovers.read(file)
            layout = StatsLayout(handover.configuration, handover.layout)
            self._engine.prepare(handover.configuration, layout)
            self._prepared = message
        except Exception as reason:
            log.exception("configuration %d cannot be used", message.generation)
            error = f"{type(reason).__name__}: {reason}"
        finally:
            os.close(file)
        self._channel.send(control.Prepared(message.generation, error))

    def _commit(self) -> None:
        """One assignment in the engine; then the sockets that are new are listened on, the others closed."""
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            return
        known = set(self._sockets)
        listeners = {number: index for index, number in prepared.listeners}
        self._engine.commit(listeners)
        if self._deadline is None:
            for number in listeners.keys() & known - self._listening:
                self._engine.listen(self._sockets[number], listeners[number], number)
                self._listening.add(number)
        self._close_sockets(known - set(listeners))

    def _abandon(self) -> None:
        self._prepared = None
        self._engine.abandon()
        self._close_sockets(set(self._sockets) - self._listening)

    def _close_sockets(self, numbers: set[int]) -> None:
        self._listening -= numbers
        for number in numbers:
            os.close(self._sockets.pop(number))

    def _drain(self, grace_s: float) -> None:
        deadline = self._loop.time() + grace_s
        if self._deadline is None:
            self._deadline = deadline
            self._stop_listening()
            self._engine.drain()
            self._end_when_drained()
        self._deadline = min(self._deadline, deadline)

    def _stop_listening(self) -> None:
        self._engine.stop_listening()
        self._close_sockets(set(self._sockets))

    def _end_when_drained(self) -> None:
        assert self._deadline is not None
        if self._engine.exchanges == 0 or self._loop.time() >= self._deadline:
            self._loop.stop()
        else:
            self._loop.call_later(DRAIN_POLL_S, self._end_when_drained)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised: that is a bug of ours. The connections of this worker outlive it if they can."""
        log.error("%s", context.get("message"), exc_info=context.get("exception"))
        self._work_failures += 1
        if self._work_failures > WORK_FAILURES_PER_TICK:
            log.critical("too many failures, giving up")
            self._exit_status = 1
            loop.stop()
