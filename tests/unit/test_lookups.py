"""Names, refreshed in a loop."""

import asyncio
from collections.abc import Iterator

import pytest

from fastproxy import resolver
from fastproxy.lookups import Lookups
from fastproxy.model import Address, Cluster, ClusterType, Host
from fastproxy.resolver import ClusterResolver


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop = asyncio.new_event_loop()
        self.told: list[tuple[str, bool]] = []
        self.answers = {"a": "10.0.0.1", "b": "10.0.0.2"}
        self.lookups = Lookups(self.loop, self.tell)
        monkeypatch.setattr(resolver, "in_thread", self.in_thread)

    def tell(self, found: ClusterResolver, changed: bool) -> None:
        self.told.append((found.cluster.name, changed))

    def in_thread(self, name, family, done, lookup):
        done(name, (self.answers[name],))

    def until(self, count: int) -> None:
        async def wait() -> None:
            while len(self.told) < count:
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(wait(), 10))


@pytest.fixture
def world(monkeypatch) -> Iterator[World]:
    made = World(monkeypatch)
    yield made
    made.loop.close()


def cluster(name: str) -> ClusterResolver:
    hosts = (Host(Address(name, 80)),)
    return ClusterResolver(Cluster(name, ClusterType.STRICT_DNS, hosts=hosts, dns_refresh_rate_s=0.001), 4)


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
