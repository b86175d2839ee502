"""Connections: buffers that keep order, addresses as text, structs that stay small."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.inspection import address_text, buffered, struct_bytes
from tests.unit.engine_world import get, ok


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=3000), st.integers(0, 4000)), max_size=30))
def test_a_buffer_is_a_queue_of_bytes(pieces):
    expected, contents = b"", []
    for data, sent in pieces:
        expected = (expected + data)[sent:]
        contents.append(expected)
    assert buffered(pieces) == contents


@pytest.mark.parametrize(
    ("family", "ip", "text", "address"),
    [
        (socket.AF_INET, "1.2.3.4", b"1.2.3.4", b"1.2.3.4:80"),
        (socket.AF_INET6, "2001:db8::1", b"2001:db8::1", b"[2001:db8::1]:80"),
        (socket.AF_INET6, "::1", b"::1", b"[::1]:80"),
        (socket.AF_INET6, "::ffff:9.8.7.6", b"9.8.7.6", b"9.8.7.6:80"),
    ],
)
def test_addresses(family, ip, text, address):
    assert address_text(family, socket.inet_pton(family, ip), 80) == (text, address)


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
