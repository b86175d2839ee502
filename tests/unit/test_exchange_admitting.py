"""Connections that are one too many: of a filter chain, of an address."""

import pytest

from fastproxy.model import Address, ConnectionLimit, Listener, TcpCluster, TcpProxy
from tests.unit.engine_world import World, get, ok

LIMIT = ConnectionLimit("l", 2)


def ask(world: World, client) -> None:
    client.send(get())
    world.until(world.nodes[0].is_asked)
    node = world.nodes[0].accept()
    node.head()
    node.send(ok(b"hello", "connection: close"))
    assert client.response() == (200, b"hello")


@pytest.mark.parametrize("delay_s", [0.0, 0.05])
def test_a_filter_chain_with_enough(worlds, delay_s):
    world = worlds(manager={"connection_limit": ConnectionLimit("l", 2, delay_s)})
    first, _second = world.client(), world.client()
    assert world.client().end() == b""
    stats = world.statistics()
    assert stats["connection_limit.l.limited_connections"] == 1
    assert stats["connection_limit.l.active_connections"] == 2
    first.close()
    world.until(lambda: world.statistics()["connection_limit.l.active_connections"] == 1)
    ask(world, world.client())


def test_what_is_turned_away_is_not_served(worlds):
    """While the delay runs nothing that it sends is answered."""
    world = worlds(manager={"connection_limit": ConnectionLimit("l", 1, 0.2)})
    ask(world, world.client())
    late = world.client().send(get())
    assert late.end() == b""
    assert not world.nodes[0].is_asked()


@pytest.mark.parametrize("delay_s", [0.0, 0.05])
def test_a_tcp_proxy_with_enough(worlds, delay_s):
    proxy = TcpProxy("t", (TcpCluster("backend"),), connection_limit=ConnectionLimit("l", 1, delay_s))
    world = worlds(configuration={"listeners": (Listener("main", Address("127.0.0.1", 1), proxy),)})
    client = world.client().send(b"x")
    node = world.nodes[0].accept()
    assert node.take(1) == b"x"
    assert world.client().send(b"y").end() == b""
    assert not world.nodes[0].is_asked()
    assert world.statistics()["connection_limit.l.limited_connections"] == 1
    client.close()
    node.close()
    world.until(lambda: world.statistics()["connection_limit.l.active_connections"] == 0)
    world.client().send(b"z")
    assert world.nodes[0].accept().take(1) == b"z"


def test_an_address_with_enough(worlds):
    world = worlds(manager={"max_connections_per_address": 2})
    first, _second = world.client(), world.client()
    assert world.client().end() == b""
    assert world.count("downstream_cx_address_limited") == 1
    first.close()
    world.until(lambda: world.count("downstream_cx_active") == 1)
    ask(world, world.client())


def test_connections_follow_to_another_limit(worlds):
    """With a reload a connection that carries nothing counts in the limit of the new filter chain."""
    world = worlds(manager={"connection_limit": LIMIT})
    client = world.client()
    ask(world, client)
    world.change(manager={"connection_limit": ConnectionLimit("other", 1)})
    stats = world.statistics()
    assert stats["connection_limit.other.active_connections"] == 1
    assert world.client().end() == b""
    world.change(manager={})
    ask(world, client)
    world.change(manager={"connection_limit": LIMIT})
    assert world.statistics()["connection_limit.l.active_connections"] == 1
