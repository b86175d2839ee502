"""The workers of a supervisor, around the engine of fake_proxy.py."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator

import pytest

from fastproxy import control, crew
from fastproxy.crew import Crew
from fastproxy.shared_memory import SharedMemory
from fastproxy.stats import StatsLayout
from fastproxy.worker import Assignment
from fastproxy.worker_process import WorkerProcess
from tests.support.processes import wait_until
from tests.unit import fake_proxy


class Employer:
    """Assigns work, and notes what workers say."""

    def __init__(self, count: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.said: list[tuple[int, control.Message]] = []
        self._configuration = fake_proxy.configuration(0, [])
        self._layout = StatsLayout(self._configuration)
        self._memory = SharedMemory(self._configuration, self._layout, count)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.crew = Crew(count, self.loop, self.assign, fake_proxy.build, self.received)

    def assign(self, index: int, channel: control.Channel) -> Assignment:
        rows = [self._memory.row(each) for each in range(len(self.crew.members))]
        sockets = [(1, 0, self._listening.fileno())]
        sessions = self._memory.sessions
        return Assignment(index, self._configuration, self._layout, rows, sessions, bytes(16), sockets, channel, 30.0)

    def received(self, process: WorkerProcess, message: control.Message) -> None:
        self.said.append((process.index, message))

    def listens(self) -> list[tuple[int, control.Message]]:
        """Everything that was said until now."""
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        return self.said

    def deaths(self, count: int) -> list[tuple[WorkerProcess, int]]:
        found: list[tuple[WorkerProcess, int]] = []

        def all_died() -> bool:
            found.extend((process, death.status) for process, death in self.crew.take_dead())
            return len(found) == count

        wait_until(all_died, f"{count} workers die")
        return found

    def end(self) -> None:
        alive = [process for process in self.crew.members if process.pid]
        self.crew.kill()
        self.deaths(len(alive))
        self._listening.close()
        self.loop.close()


@pytest.fixture
def employer() -> Iterator[Employer]:
    made = Employer(2)
    yield made
    made.end()


def test_every_member_starts_and_says_so(employer):
    assert all(employer.crew.fork(process) for process in employer.crew.members)
    wait_until(lambda: len(employer.listens()) == 2, "both workers have started")
    assert sorted(employer.said, key=lambda each: each[0]) == [(0, control.Started()), (1, control.Started())]
    assert employer.crew.is_alive
    assert len(employer.crew.reachable) == 2


def test_one_that_reads_nothing_any_more_is_killed(employer, monkeypatch):
    """Else what it is told would fill the memory of the supervisor."""
    monkeypatch.setattr(crew, "MAX_UNSENT_BYTES", 200_000)
    idle, busy = employer.crew.members
    assert all(employer.crew.fork(process) for process in (idle, busy))
    wait_until(lambda: len(employer.listens()) == 2, "both workers have started")
    os.kill(idle.pid, signal.SIGSTOP)
    message = control.Sockets((1,) * 20000)
    assert idle.channel
    while not idle.channel.unsent:
        employer.crew.send(idle, message)
    while idle.channel.unsent:
        employer.crew.send(idle, message)
    assert idle.channel.unsent_bytes == 0
    assert employer.deaths(1) == [(idle, signal.SIGKILL)]
    assert busy.pid


def test_one_that_lives_is_not_forked_again(employer):
    first = employer.crew.members[0]
    employer.crew.fork(first)
    pid = first.pid
    assert employer.crew.fork(first)
    assert first.pid == pid


def test_a_death_is_told_once_and_the_others_stay(employer):
    for process in employer.crew.members:
        employer.crew.fork(process)
    wait_until(lambda: len(employer.listens()) == 2, "both workers have started")
    victim, other = employer.crew.members
    os.kill(victim.pid, signal.SIGKILL)
    assert employer.deaths(1) == [(victim, signal.SIGKILL)]
    assert list(employer.crew.take_dead()) == []
    assert employer.crew.reachable == [other]


def test_all_are_told(employer):
    for process in employer.crew.members:
        employer.crew.fork(process)
    employer.crew.tell(control.Stop())
    assert {status for _, status in employer.deaths(2)} == {0}
    assert not employer.crew.is_alive


def test_no_process_to_be_had(employer, monkeypatch, caplog):
    def refuse() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert not employer.crew.fork(employer.crew.members[0])
    assert "cannot fork worker 0: Resource temporarily unavailable" in caplog.text
    assert not employer.crew.is_alive
