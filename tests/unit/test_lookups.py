"""Names, refreshed in a loop."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from fastproxy import resolver
from fastproxy.lookups import Lookups
from fastproxy.model import Address, Cluster, ClusterType, Host, RefreshRate
from fastproxy.resolver import ClusterResolver


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop = asyncio.new_event_loop()
        self.told: list[tuple[str, bool]] = []
        self.answers = {"a": "10.0.0.1", "b": "10.0.0.2", "slow": "10.0.0.3"}
        self.lookups = Lookups(self.loop, self.tell)
        self.asked: list[str] = []
        self.slow = threading.Event()
        monkeypatch.setattr(resolver, "look_up", self.look_up)

    def tell(self, found: ClusterResolver, changed: bool) -> None:
        self.told.append((found.cluster.name, changed))

    def look_up(self, name, family):
        self.asked.append(name)
        if name == "slow":
            self.slow.wait(30)
        if name not in self.answers:
            raise OSError("no such name")
        return (self.answers[name],)

    def until(self, count: int) -> None:
        async def wait() -> None:
            while len(self.told) < count:
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(wait(), 30))


@pytest.fixture
def world(monkeypatch) -> Iterator[World]:
    made = World(monkeypatch)
    yield made
    made.slow.set()
    made.loop.close()


def cluster(*names: str, **fields) -> ClusterResolver:
    """Called as its first name."""
    hosts = tuple(Host(Address(name, 80)) for name in names)
    fields = {"dns_refresh_rate_s": 0.001, **fields}
    return ClusterResolver(Cluster(names[0], ClusterType.STRICT_DNS, hosts=hosts, **fields), 4)


def test_an_answer_is_told_of(world):
    found = cluster("a")
    world.lookups.start(found)
    world.until(1)
    assert world.told == [("a", True)]
    assert found.hosts[0].address.host == "10.0.0.1"


def test_names_are_asked_for_again_and_again(world):
    world.lookups.keep([cluster("a")])
    world.until(3)
    assert world.told[:3] == [("a", True), ("a", False), ("a", False)]


def test_what_is_not_kept_is_asked_for_no_more(world):
    first, second = cluster("a"), cluster("b")
    world.lookups.keep([first])
    world.lookups.keep([second])
    world.until(3)
    assert {name for name, _ in world.told} == {"b"}


def test_a_cluster_without_names_is_not_asked_for(world):
    literal = ClusterResolver(Cluster("l", ClusterType.STRICT_DNS, hosts=(Host(Address("10.0.0.9", 1)),)), 4)
    world.lookups.keep([literal, cluster("a")])
    world.until(1)
    assert literal.attempts == 0


def test_each_name_has_its_own_time(world):
    """One that does not answer holds up no other."""
    world.lookups.keep([cluster("a", "slow")])
    world.until(3)
    assert world.asked.count("slow") == 1
    world.slow.set()
    while world.asked.count("slow") < 3:
        world.until(len(world.told) + 1)


def test_what_was_being_looked_up_when_it_was_kept_is_refreshed_later(world):
    found = cluster("slow")
    world.lookups.start(found)
    world.lookups.keep([found])
    assert found.attempts == 1
    world.slow.set()
    world.until(3)
    assert found.successes >= 3


def test_a_failure_is_tried_again(world):
    found = cluster("none", dns_refresh_rate_s=3600.0, dns_failure_refresh_rate=RefreshRate(0.001, 0.002))
    world.lookups.keep([found])
    world.until(3)
    world.answers["none"] = "10.0.0.9"
    while not found.hosts:
        world.until(len(world.told) + 1)
    assert world.told[-1] == ("none", True)
