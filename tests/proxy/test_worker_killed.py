"""`kill -9` of a worker: its connections end, nobody else's does, and the next ones are served."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.adversary import Peer
from tests.support.processes import has_event_loop, socket_inodes, wait_until
from tests.support.proxies import World, Worlds
from tests.support.websocket import tunnel

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

pytestmark = pytest.mark.departure("Envoy's workers are threads of one process")


def owner(world: World, client: Peer) -> int:
    """The worker that holds the other end of this client's connection."""
    return next(pid for pid in world.proxy.pids() if client.inode_of_remote() in socket_inodes(pid))


def kill(world: World, *victims: int) -> None:
    """End these workers, and have the supervisor know it."""
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not {*victims} & {*world.proxy.pids()}, "the killed workers are gone")


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    """A proxy whose processes may die."""
    started = worlds.start(concurrency=2)
    yield started
    wait_until(lambda: len(started.proxy.pids()) == len(started.proxy.crew), "as many workers as before")
    started.proxy.crew = set(started.proxy.pids())


def tunnels_of_two_workers(world: World) -> dict[int, list[tuple[Peer, Peer]]]:
    """Tunnels by the worker that holds them, at least one of each of two."""
    wait_until(lambda: both_serve(world), "both workers have come as far as accepting")
    found: dict[int, list[tuple[Peer, Peer]]] = {}
    for _ in range(200):
        client, node = tunnel(world)
        found.setdefault(owner(world, client), []).append((client, node))
        if len(found) == 2 and sum(map(len, found.values())) >= 10:
            return found
    raise AssertionError(f"all 200 connections went to {list(found)}")


def both_serve(world: World) -> bool:
    workers = {*world.proxy.pids()} - {world.proxy.process.pid}
    return len(workers) == 2 and all(map(has_event_loop, workers))


def assert_ended(tunnels: list[tuple[Peer, Peer]]) -> None:
    for client, node in tunnels:
        assert client.read_to_end() == b""
        assert node.read_to_end() == b""
        node.close()


def test_kill(world: World) -> None:
    by_worker = tunnels_of_two_workers(world)
    victim, survivor = by_worker
    workers_before = set(world.proxy.pids())
    kill(world, victim)
    assert_ended(by_worker[victim])
    for client, node in by_worker[survivor]:
        client << b"still here"
        node >> b"still here"
        node << b"so am I"
        client >> b"so am I"
    wait_until(lambda: set(world.proxy.pids()) - workers_before, "another worker is there")
    for _ in range(20):
        client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
        peer = world.node.busy_peer()
        peer.read_request()
        peer << OK
        assert client.read_response().body == b"ok"


def test_gauges_of_the_dead_are_forgotten(world: World) -> None:
    by_worker = tunnels_of_two_workers(world)
    total = sum(map(len, by_worker.values()))
    victim, survivor = by_worker
    name = "http.ingress_http.downstream_cx_active"
    assert world.proxy.stats()[name] == total
    kill(world, victim)
    expected = len(by_worker[survivor])
    wait_until(lambda: world.proxy.stats()[name] == expected, lambda: f"{world.proxy.stats()[name]} is {expected}")


def test_every_worker_may_die(world: World) -> None:
    """As often as they are killed they come back."""
    for _ in range(3):
        by_worker = tunnels_of_two_workers(world)
        kill(world, *by_worker)
        for pairs in by_worker.values():
            assert_ended(pairs)
