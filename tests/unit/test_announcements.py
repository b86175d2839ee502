"""What workers are told of clusters, and when: on a clock of the tests."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from fastproxy import control
from fastproxy.announcements import Announcements
from fastproxy.model import Address, Cluster, Host

HOSTS = tuple(Host(Address("127.0.0.1", port)) for port in (1, 2, 3))
CLUSTER = Cluster("c", hosts=HOSTS)


class Clock:
    """As much of an event loop as announcements need; it has moved on by hand."""

    def __init__(self):
        self.now_s = 100.0
        self.timers = []

    def time(self):
        return self.now_s

    def call_later(self, delay_s, action, *arguments):
        timer = Timer(self.now_s + delay_s, action, arguments)
        self.timers.append(timer)
        return timer

    def move(self, seconds):
        """Let time pass, and run what is due."""
        self.now_s += seconds
        due = [timer for timer in self.timers if timer.at_s <= self.now_s]
        self.timers = [timer for timer in self.timers if timer.at_s > self.now_s]
        for timer in due:
            if not timer.cancelled:
                timer.action(*timer.arguments)


class Timer:
    def __init__(self, at_s, action, arguments):
        self.at_s, self.action, self.arguments = at_s, action, arguments
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


class World:
    def __init__(self, *clusters):
        self.clock = Clock()
        self.told: list[Any] = []
        self.announcements = Announcements(cast(asyncio.AbstractEventLoop, self.clock), self.told.append)
        self.announcements.begin(clusters or [CLUSTER])

    def find(self, *flags, **fields):
        """Something else is known of the hosts."""
        hosts = tuple(replace(host, found_flags=each) for host, each in zip(HOSTS, flags, strict=True))
        self.announcements.announce(replace(CLUSTER, hosts=hosts, **fields))

    def take(self):
        told, self.told[:] = list(self.told), []
        return told

    @property
    def counts(self):
        return tuple(self.announcements.counters.values())


def health(*found):
    return control.HostHealth("c", tuple((f"127.0.0.1:{port}", flags) for port, flags in found))


def test_the_first_change_is_told_at_once():
    world = World()
    world.find(1, 0, 0)
    assert world.take() == [health((1, 1))]
    assert world.counts == (1, 0, 0, 1)


def test_what_follows_within_the_window_is_told_together():
    world = World()
    world.find(1, 0, 0)
    world.take()
    for flags in ((1, 1, 0), (1, 1, 1), (0, 1, 1)):
        world.clock.move(0.1)
        world.find(*flags)
    assert world.take() == []
    world.clock.move(0.9)
    assert world.take() == [health((1, 0), (2, 1), (3, 1))]
    assert world.counts == (1, 1, 0, 1)
    world.clock.move(1.1)
    world.find(0, 0, 0)
    assert world.take() == [health((2, 0), (3, 0))], "it is quiet again"


def test_a_host_that_is_as_before_when_the_window_is_over_is_no_news():
    world = World()
    world.find(1, 0, 0)
    world.take()
    world.find(1, 1, 0)
    world.find(1, 0, 0)
    world.clock.move(1.0)
    assert world.take() == []


def test_a_thousand_changes_are_two_messages():
    world = World()
    for number in range(1, 1001):
        world.clock.move(0.0009)
        world.find(number % 2, number % 3, number % 5)
    world.clock.move(1.0)
    assert len(world.take()) == 2


def test_other_hosts_are_told_at_once_with_all_that_is_known():
    world = World()
    world.find(1, 0, 0)
    world.find(1, 1, 0)
    world.take()
    after = replace(CLUSTER, hosts=(replace(HOSTS[1], found_flags=1),))
    world.announcements.announce(after)
    assert world.take() == [control.Hosts("c", after.hosts)]
    assert world.counts == (2, 0, 1, 1)
    world.clock.move(1.0)
    assert world.take() == []


def test_without_a_window_everything_is_told_at_once():
    world = World()
    for flags in ((1, 0, 0), (1, 1, 0)):
        world.find(*flags, update_merge_window_s=0.0)
    assert world.take() == [health((1, 1)), health((2, 1))]


@pytest.mark.parametrize("waits", [False, True])
def test_what_the_workers_know_is_what_they_were_told(waits):
    """A new worker begins with that, and learns the rest with the others."""
    world = World()
    world.find(1, 0, 0)
    if waits:
        world.find(1, 1, 0)
    assert [host.found_flags for host in world.announcements.told["c"].hosts] == [1, 0, 0]


def test_another_configuration_begins_anew():
    world = World()
    world.find(1, 0, 0)
    world.find(1, 1, 0)
    world.take()
    world.announcements.begin([CLUSTER])
    world.clock.move(5.0)
    assert world.take() == []
    world.find(1, 0, 0)
    assert world.take() == [health((1, 1))]


def test_clusters_have_windows_of_their_own():
    other = replace(CLUSTER, name="d")
    world = World(CLUSTER, other)
    world.find(1, 0, 0)
    world.announcements.announce(replace(other, hosts=(replace(HOSTS[0], found_flags=1), *HOSTS[1:])))
    assert [message.cluster for message in world.take()] == ["c", "d"]
