"""A worker alone: a forked process around the engine of fake_proxy.py, the test being its supervisor."""

import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from fastproxy import control, handovers, worker
from fastproxy.handovers import Handover
from fastproxy.model import Address, Cluster, Configuration, Host
from fastproxy.shared_memory import SharedMemory
from fastproxy.stats import StatsLayout
from fastproxy.worker import Assignment, Build, Worker
from fastproxy.worker_process import fork
from tests.support.processes import is_alive, wait_until
from tests.unit import fake_proxy


class Lines:
    """A client of the fake engine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self.socket.makefile("rw")

    def ask(self, line: str) -> str:
        self._file.write(f"{line}\n")
        self._file.flush()
        return self._file.readline().rstrip("\n")

    def ended(self) -> bool:
        """Wait for the end of the connection."""
        return self.socket.recv(1) == b""

    def close(self) -> None:
        self._file.close()
        self.socket.close()


class Running:
    """One worker process; `channel` is the supervisor's end."""

    def __init__(self, grace_s: float = 30.0, build: Build = fake_proxy.build) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setblocking(False)
        self.port: int = self.listening.getsockname()[1]
        self.channel, theirs = control.channel_pair()
        self.configuration = configuration = fake_proxy.configuration(0, [])
        layout = StatsLayout(configuration)
        memory = SharedMemory(configuration, layout, 1)
        fd = self.listening.fileno()
        assignment = Assignment(
            0, configuration, layout, [memory.row(0)], memory.sessions, bytes(16), [(1, 0, fd)], theirs, grace_s
        )

        def run() -> int:
            # What pytest has put here writes to descriptors that are closed now: their numbers will be a client's, or
            # those of the pipe by which libuv tells itself of signals, which must not hold what it has not written.
            logging.getLogger().handlers.clear()
            sys.stdout, sys.stderr = (open(fd, "w", buffering=1, closefd=False) for fd in (1, 2))  # noqa: SIM115
            return Worker(assignment, build).run()

        self.pid = fork(run, [fd, theirs.fileno()])
        self.status: int | None = None
        theirs.close()
        self.clients: list[Lines] = []

    def client(self) -> Lines:
        self.clients.append(Lines(self.port))
        return self.clients[-1]

    def started(self) -> bool:
        return control.Started() in (self.channel.receive() or [])

    def wait(self) -> int:
        """The exit status, once it has ended by itself."""
        if self.status is None:
            wait_until(lambda: not is_alive(self.pid), "the worker ends")
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def end(self) -> None:
        for client in self.clients:
            client.close()
        self.listening.close()
        self.channel.close()
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@pytest.fixture
def running() -> Iterator[Running]:
    worker = Running()
    wait_until(worker.started, "the worker says that it serves")
    yield worker
    worker.end()


def test_it_serves(running):
    client = running.client()
    assert client.ask("pid") == str(running.pid)
    assert client.ask("hello") == "hello"


def test_it_holds_nothing_but_its_own_descriptors(running):
    """stdin, stdout, stderr, listener (twice), channel, both epolls, a connection, and what uvloop needs."""
    held = running.client().ask("fds")
    assert held.count("socket:") <= 6  # the last two: uvloop's pair that wakes it for a signal
    assert held.count("[eventpoll]") == 2


def test_what_is_due_each_second(monkeypatch):
    class Telling(fake_proxy.FakeEngine):
        def flush_logs(self) -> None:
            self._say("flush")

        def sweep(self) -> None:
            self._say("sweep")

    monkeypatch.setattr(worker, "TICK_S", 0.01)
    running = Running(build=Telling)
    client = running.client()
    wait_until(lambda: client.ask("events").startswith("flush sweep flush sweep"), "two ticks")
    running.end()


def test_a_new_host_set_arrives(running):
    client = running.client()
    running.channel.send(control.Hosts("nodes", (Host(Address("::1", 5)),)))
    wait_until(lambda: client.ask("hosts") == "{'nodes': ['[::1]:5']}", "the new host set")


def test_drain_lets_an_exchange_finish(running):
    client = running.client()
    client.ask("busy")
    running.channel.send(control.Drain(30))
    running.listening.close()
    wait_until(lambda: not reaches(running.port), "it stops listening")
    assert client.ask("still here") == "still here"
    client.ask("done")
    assert client.ended()
    assert running.wait() == 0


def reaches(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_drain_does_not_wait_for_ever(running):
    client = running.client()
    client.ask("busy")
    running.channel.send(control.Drain(30))
    running.channel.send(control.Drain(0.05))
    assert client.ended()
    assert running.wait() == 0


def test_stop_is_at_once(running):
    client = running.client()
    client.ask("busy")
    running.channel.send(control.Stop())
    assert client.ended()
    assert running.wait() == 0


def test_without_a_supervisor_it_drains_and_ends(running):
    client = running.client()
    client.ask("busy")
    running.channel.close()
    assert client.ask("still here") == "still here"
    client.ask("done")
    assert running.wait() == 0


def test_terminating_it_alone_drains_it(running):
    os.kill(running.pid, signal.SIGTERM)
    assert running.wait() == 0


def test_a_signal_before_it_serves_is_not_lost():
    class Early(fake_proxy.FakeEngine):
        @property
        def reopen_logs(self) -> Callable[[], None]:
            """Looked for while handlers of signals are set up."""
            os.kill(os.getpid(), signal.SIGTERM)
            return super().reopen_logs

    running = Running(build=Early)
    assert running.wait() == 0
    running.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGPIPE])
def test_signals_of_the_terminal_are_the_supervisors(running, number):
    client = running.client()
    os.kill(running.pid, number)
    assert client.ask("still here") == "still here"


def test_logs_are_reopened_on_command_and_on_sigusr1(running):
    client = running.client()
    running.channel.send(control.ReopenLogs())
    wait_until(lambda: client.ask("events") == "reopen", "reopened on command")
    os.kill(running.pid, signal.SIGUSR1)
    wait_until(lambda: client.ask("events") == "reopen reopen", "reopened on SIGUSR1")


def prepare(running: Running, configuration: Configuration, listeners=((0, 1),), generation: int = 2) -> None:
    layout = StatsLayout(running.configuration).extended(configuration, {}, lambda scope: False, 1 << 17)
    file = handovers.write(Handover(configuration, layout.state))
    running.channel.send(control.Prepare(generation, listeners), [file])
    os.close(file)


def answer(running: Running) -> control.Message:
    received: list[control.Message] = []

    def heard() -> bool:
        received.extend(running.channel.receive() or [])
        return bool(received)

    wait_until(heard, "the worker answers")
    return received[0]


def other(running: Running, name: str = "other") -> Configuration:
    return replace(running.configuration, clusters=(Cluster(name, hosts=(Host(Address("::1", 5)),)),))


def test_a_new_configuration_is_used_when_it_is_committed(running):
    client = running.client()
    before = client.ask("hosts")
    prepare(running, other(running))
    assert answer(running) == control.Prepared(2)
    assert client.ask("hosts") == before
    running.channel.send(control.Commit(2))
    wait_until(lambda: client.ask("hosts") == "{'other': ['[::1]:5']}", "the new host set")
    assert running.client().ask("pid") == str(running.pid)


def test_a_new_configuration_can_be_abandoned(running):
    client = running.client()
    before, fds = client.ask("hosts"), client.ask("fds")
    prepare(running, other(running))
    running.channel.send(control.Abandon(2))
    wait_until(lambda: client.ask("events") == "abandon", "abandoned")
    running.channel.send(control.Commit(2))
    assert (client.ask("hosts"), client.ask("fds")) == (before, fds)


def test_a_configuration_that_cannot_be_made_ready_is_answered_for(running):
    prepare(running, other(running, "refused by workers"))
    assert answer(running) == control.Prepared(2, "FastproxyError: this configuration cannot be made ready")
    assert running.client().ask("still here") == "still here"


def test_sockets_come_and_go(running):
    client = running.client()
    fds = client.ask("fds")
    with socket.create_server(("127.0.0.1", 0)) as fresh:
        fresh.setblocking(False)
        port = fresh.getsockname()[1]
        running.channel.send(control.Sockets((7,)), [fresh.fileno()])
    prepare(running, running.configuration, listeners=((0, 7),))
    assert answer(running) == control.Prepared(2)
    running.channel.send(control.Commit(2))
    running.listening.close()
    wait_until(lambda: not reaches(running.port), "the old port is closed")
    with contextlib.closing(Lines(port)) as other_client:
        assert other_client.ask("pid") == str(running.pid)
    assert len(client.ask("fds").split(",")) == len(fds.split(","))


class BrokenEngine(fake_proxy.FakeEngine):
    def work(self) -> None:
        raise RuntimeError("broken")


def test_an_engine_that_only_fails_ends_the_worker():
    worker = Running(build=BrokenEngine)
    try:
        worker.client()
        assert worker.wait() == 1
    finally:
        worker.end()
