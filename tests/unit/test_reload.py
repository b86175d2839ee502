"""One reload, its supervisor being the test: what is sent to whom, and what ends it."""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from fastproxy import control, handovers
from fastproxy.control import Abandon, Commit, Hosts, Message, Prepare, Prepared
from fastproxy.errors import FastproxyError
from fastproxy.generation import Generation
from fastproxy.health.health import Health
from fastproxy.listening import Listening
from fastproxy.loader import Load, Loaded
from fastproxy.model import Address, Cluster, ClusterType, Configuration, Host
from fastproxy.reload import Reload
from fastproxy.resolver import ClusterResolver
from fastproxy.stats import StatsLayout
from fastproxy.worker_process import WorkerProcess
from tests.support.processes import wait_until

FIRST = Configuration()
SECOND = Configuration(clusters=(Cluster("c", ClusterType.STRICT_DNS, hosts=(Host(Address("name", 80)),)),))
PLAIN = Configuration(clusters=(Cluster("plain"),))


class World:
    """Two workers, one of which is dead when `workers` says so."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.current = Generation.first(FIRST, Listening(), StatsLayout(FIRST))
        self.workers = [WorkerProcess(0), WorkerProcess(1)]
        self.sent: list[tuple[int, Message]] = []
        self.handed: list[handovers.Handover] = []
        self.timers: list[Callable[[], None]] = []
        self.outcome: Generation | str | None = None
        self.asked: list[ClusterResolver] = []
        self.health = Health(self.loop, [], lambda cluster: None, lambda: None)

    def live_workers(self) -> Sequence[WorkerProcess]:
        return self.workers

    def send(self, process: WorkerProcess, message: Message, fds: Sequence[int] = ()) -> None:
        self.sent.append((process.index, message))
        if isinstance(message, Prepare):
            self.handed.append(handovers.read(fds[0]))

    def later(self, delay_s: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        self.timers.append(action)
        return self.loop.call_later(delay_s, action)

    def make(self, configuration: Configuration) -> Generation:
        return self.current.next(configuration, Listening(), lambda scope: True, 1 << 17)

    def look_up(self, resolvers: Iterable[ClusterResolver]) -> None:
        for each in resolvers:
            each.pending.update(each.names)
            self.asked.append(each)

    def committed(self, generation: Generation) -> None:
        assert self.outcome is None
        self.outcome = generation

    def failed(self, reason: str) -> None:
        assert self.outcome is None
        self.outcome = reason

    def begin(self, load: Load) -> Reload:
        """A reload whose configuration was read."""
        reload = Reload(self.current, load, self)
        reload.begin()

        def has_loaded() -> bool:
            reload.child_ended()
            return bool(self.asked or self.sent or self.outcome)

        wait_until(has_loaded, "it has loaded")
        return reload

    def kinds(self) -> list[str]:
        return [f"{type(message).__name__} {index}" for index, message in self.sent]


@pytest.fixture
def world() -> Iterator[World]:
    before = os.listdir("/proc/self/fd")
    made = World()
    yield made
    made.loop.close()
    assert len(os.listdir("/proc/self/fd")) <= len(before)


def plain() -> Loaded:
    return Loaded(PLAIN, ("a warning",))


def test_all_prepare_then_all_commit(world):
    reload = world.begin(plain)
    assert world.kinds() == ["Prepare 0", "Prepare 1"]
    assert world.handed[1].configuration == PLAIN
    reload.answered(world.workers[1], Prepared(2))
    assert not world.outcome
    reload.answered(world.workers[0], Prepared(2))
    assert world.kinds()[2:] == ["Commit 0", "Commit 1"]
    assert isinstance(world.outcome, Generation)
    assert (world.outcome.number, world.outcome.configuration) == (2, PLAIN)


def test_a_worker_that_cannot_prepare_ends_it_for_all(world):
    reload = world.begin(plain)
    reload.answered(world.workers[0], Prepared(2))
    reload.answered(world.workers[1], Prepared(2, "OSError: no space"))
    assert world.outcome == "worker 1 cannot use the configuration: OSError: no space"
    assert world.kinds()[2:] == ["Abandon 0", "Abandon 1"]
    reload.answered(world.workers[1], Prepared(2))
    assert Commit(2) not in [message for _, message in world.sent]


def test_a_worker_that_dies_meanwhile_ends_it(world):
    reload = world.begin(plain)
    reload.worker_ended(world.workers[1])
    assert world.outcome == "worker 1 ended while it made the configuration ready"
    assert world.kinds()[2:] == ["Abandon 0"]


def test_a_worker_that_does_not_answer_ends_it(world):
    reload = world.begin(plain)
    reload.answered(world.workers[1], Prepared(2))
    world.timers[-1]()
    assert world.outcome == "no answer from worker 0 within 30 s"


def test_an_answer_about_an_earlier_configuration_is_none(world):
    reload = world.begin(plain)
    for process in world.workers:
        reload.answered(process, Prepared(1))
    assert world.outcome is None
    reload.abandon()


def test_without_a_worker_it_is_committed_at_once(world):
    world.workers = []
    world.begin(plain)
    assert isinstance(world.outcome, Generation)


def test_a_wrong_file_is_told_of_and_nobody_else_hears(world):
    def wrong() -> Loaded:
        raise FastproxyError("f:1:2: a: wrong\nf:3:4: b: wrong")

    world.begin(wrong)
    assert world.outcome == "f:1:2: a: wrong\nf:3:4: b: wrong"
    assert world.sent == []


def test_what_cannot_be_made_is_told_of(world, monkeypatch):
    def refuse(configuration: Configuration) -> Generation:
        raise FastproxyError("the port is taken")

    monkeypatch.setattr(world, "make", refuse)
    world.begin(plain)
    assert (world.outcome, world.sent) == ("the port is taken", [])


def test_new_names_are_looked_up_first(world):
    reload = world.begin(lambda: Loaded(SECOND))
    assert world.sent == []
    (found,) = world.asked
    found.succeed("name", ("10.0.0.1",))
    reload.looked_up()
    assert world.handed[0].configuration.clusters[0].hosts[0].address.host == "10.0.0.1"
    reload.abandon()


def test_names_are_not_waited_for_for_ever(world):
    reload = world.begin(lambda: Loaded(SECOND))
    world.timers[-1]()
    assert world.kinds() == ["Prepare 0", "Prepare 1"]
    assert world.handed[0].configuration.clusters[0].hosts == ()
    found = world.asked[0]
    found.succeed("name", ("10.0.0.1",))
    for process in world.workers:
        reload.answered(process, Prepared(2))
    assert world.sent[-1] == (1, Hosts("c", found.hosts))


def test_names_of_a_cluster_that_need_not_be_warm_are_not_waited_for(world):
    (cluster,) = SECOND.clusters
    reload = world.begin(lambda: Loaded(Configuration(clusters=(replace(cluster, wait_for_warm_on_init=False),))))
    assert [each.names for each in world.asked] == [("name",)]
    assert world.kinds() == ["Prepare 0", "Prepare 1"]
    reload.abandon()


def test_abandoned_in_the_middle_it_is_over(world):
    reload = world.begin(plain)
    reload.abandon()
    assert world.sent[-1] == (1, Abandon(2))
    for process in world.workers:
        reload.answered(process, Prepared(2))
    assert world.outcome is None


def test_many_sockets_travel_in_several_messages(world, monkeypatch):
    monkeypatch.setattr(control, "MAX_FDS", 2)

    class Socket:
        def __init__(self, number: int) -> None:
            self.number = number

        def fd(self, worker: int) -> int:
            return 0

    class Many(Listening):
        def added_to(self, before: Listening):
            return iter([Socket(number) for number in range(5)])

        def close_all_but(self, other: Listening) -> None:
            pass

    monkeypatch.setattr(world, "make", lambda model: world.current.next(model, Many(), lambda scope: True, 1 << 17))
    world.workers = world.workers[:1]
    reload = world.begin(plain)
    assert [message.numbers for _, message in world.sent[:-1]] == [(0, 1), (2, 3), (4,)]
    reload.abandon()


def test_the_session_table_keeps_its_size_and_that_is_said(world, caplog):
    reload = world.begin(lambda: Loaded(replace(PLAIN, session_table_slots=4096)))
    assert world.handed[0].configuration.session_table_slots == FIRST.session_table_slots
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    for process in world.workers:
        reload.answered(process, Prepared(2))
    [said] = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert said == "session_table_slots: the session table keeps its 1048576 slots until the next start"
    assert world.outcome.configuration == PLAIN
