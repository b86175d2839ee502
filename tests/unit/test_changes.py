"""What one configuration changes of another, and which keys move."""

from dataclasses import replace

import pytest

from fastproxy._ring import xx_hash
from fastproxy.balancers import balancer_for
from fastproxy.changes import KEYS, Change, compare, describe, movement
from fastproxy.model import (
    Address,
    Cluster,
    Configuration,
    FilterChain,
    FilterChainMatch,
    Host,
    HttpConnectionManager,
    LbPolicy,
    Listener,
    Route,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)


def hosts(*ports: int) -> tuple[Host, ...]:
    return tuple(Host(Address("127.0.0.1", port)) for port in ports)


RING = Cluster("ring", lb_policy=LbPolicy.RING_HASH, hosts=hosts(1, 2, 3))
ROUTES = tuple(Route(RouteMatch(prefix=prefix), "ring") for prefix in ("/a", "/b"))


def world(routes: tuple[Route, ...] = ROUTES, *, cluster: Cluster = RING, name: str = "main", port: int = 1):
    manager = HttpConnectionManager("http", RouteConfiguration((VirtualHost("all", ("*",), routes),)))
    return Configuration((Listener(name, Address("127.0.0.1", port), manager),), (cluster,))


def test_nothing():
    changes = compare(world(), world())
    assert changes.is_empty
    assert changes.movements == ()


def test_listeners():
    assert compare(world(), world(name="other")).listeners == (
        Change("removed", "listener 'main'"),
        Change("added", "listener 'other'"),
    )
    [change] = compare(world(), world(port=2)).listeners
    assert change == Change("changed", "listener 'main'", ("address: 127.0.0.1:1 > 127.0.0.1:2",))


def test_connection_managers():
    manager = world().listeners[0].manager
    slower = replace(world(), listeners=(replace(world().listeners[0], filter=replace(manager, idle_timeout_s=1.0)),))
    [change] = compare(world(), slower).listeners
    assert change.what == "HttpConnectionManager of listener 'main'"
    assert change.details == ("idle_timeout_s: 3600.0 > 1.0",)


def test_filter_chains():
    listener = world().listeners[0]
    chains = (FilterChain(filter=listener.manager, match=FilterChainMatch(destination_port=9)),)
    [change] = compare(world(), replace(world(), listeners=(replace(listener, filter_chains=chains),))).listeners[:1]
    assert change.what == "filter chains of listener 'main'"
    assert change.details[0].startswith("+ {destination_port: 9")


def test_routes():
    more = Route(RouteMatch(path="/c"), "ring", timeout_s=1.0)
    [change] = compare(world(), world((ROUTES[0], more))).routes
    assert change.what == "routes of virtual host 'all' of listener 'main'"
    assert change.details == (f"- {describe(ROUTES[1])}", f"+ {describe(more)}")
    assert "path: '/c'" in describe(more)
    assert "timeout_s: 1.0" in describe(more)
    [turned] = compare(world(), world(ROUTES[::-1])).routes
    assert turned.details == ("the same routes in another order",)


def test_clusters():
    slow = replace(RING, connect_timeout_s=9.0)
    [change] = compare(world(), world(cluster=slow)).clusters
    assert change == Change("changed", "cluster 'ring'", ("connect_timeout_s: 5.0 > 9.0",))
    [change] = compare(world(), world(cluster=replace(RING, hosts=hosts(1, 2)))).clusters
    assert change.what == "hosts of cluster 'ring'"
    assert len(change.details) == 1
    assert change.details[0].startswith("- ")


@pytest.mark.parametrize("ports", [(1, 2), (1, 2, 3, 4), (2, 3, 1)])
def test_the_share_of_keys_that_move_is_that_of_the_rings(ports):
    other = replace(RING, hosts=hosts(*ports))
    found = movement(RING, other)
    rings = [(balancer_for(each, each.hosts), each.hosts) for each in (RING, other)]
    chosen = [
        [str(of[ring.pick(xx_hash(b"%d" % key))].address) for key in range(KEYS)] for ring, of in rings
    ]  # fmt: skip
    expected = sum(a != b for a, b in zip(*chosen, strict=True)) / KEYS
    assert found.moved == expected
    assert sum(before for _, before, _ in found.per_host) == pytest.approx(1)
    assert sum(after for _, _, after in found.per_host) == pytest.approx(1)
    assert (expected == 0) == (set(ports) == {1, 2, 3})


def test_an_empty_cluster_loses_all_keys():
    assert movement(RING, replace(RING, hosts=())).moved == 1


def test_only_hashing_clusters_are_measured():
    plain = replace(RING, lb_policy=LbPolicy.ROUND_ROBIN)
    assert compare(world(cluster=plain), world(cluster=replace(plain, hosts=hosts(1)))).movements == ()


def test_what_only_the_next_start_changes():
    changes = compare(world(), replace(world(), session_table_slots=4096))
    assert changes.server == (
        Change("changed", "session table", ("session_table_slots: 1048576 > 4096, from the next start on",)),
    )
    assert not changes.is_empty
