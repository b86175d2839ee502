"""Connections: buffers that keep order, structs that stay small."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.connections import read_limit_of
from fastproxy.inspection import buffered, struct_bytes
from tests.unit.engine_world import get, ok


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=3000), st.integers(0, 4000)), max_size=30))
def test_a_buffer_is_a_queue_of_bytes(pieces):
    expected, contents = b"", []
    for data, sent in pieces:
        expected = (expected + data)[sent:]
        contents.append(expected)
    assert buffered(pieces) == contents


def test_an_idle_tunnel_is_small():
    """Two connections and a tunnel: under one KiB, so that a million of them fit a small machine."""
    sizes = struct_bytes()
    assert 2 * sizes["connection"] + sizes["tunnel"] < 1024


def test_structs_are_used_again(world):
    """Many connections, one after the other and at once; each is served, none is left."""
    for number in range(3):
        clients = [world.client().send(get(f"/{number}")) for _ in range(100)]
        nodes = [world.nodes[0].accept() for _ in clients]
        for node in nodes:
            node.head()
            node.send(ok(b"x", "connection: close"))
        assert [client.response() for client in clients] == [(200, b"x")] * 100
        for peer in clients + nodes:
            peer.close()
        world.until(lambda: world.engine.active == 1)


def test_an_event_for_a_connection_that_was_closed_meanwhile(world):
    """Both sides are gone in one batch of events: whichever comes first closes both."""
    pairs = []
    for _ in range(20):
        client, node = world.ask(get())
        node.head()
        pairs.append((client, node))
    for client, node in pairs:
        client.close(reset=True)
        node.close(reset=True)
    world.until(lambda: world.engine.active == 1)
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


@pytest.mark.parametrize(
    ("limit", "read"), [(0, 131072), (1, 4096), (4096, 4096), (9000, 9000), (131072, 131072), (1 << 20, 131072)]
)
def test_how_much_is_read_at_once(limit, read):
    assert read_limit_of(limit) == read
