"""The framing of what is sent on, and heads of which only the beginning has come."""

import pytest

from tests.unit.engine_world import get, ok

LENGTHS = [1, 9, 15, 16, 255, 4096, 70_000, 131_072, 200_000]


@pytest.mark.parametrize("length", LENGTHS)
def test_chunks_sent_on_say_their_length(world, length):
    """Whatever the client's chunks were, what reaches the node adds up and is terminated."""
    client, node = world.ask(get("/", "transfer-encoding: chunked", method="POST"))
    node.head()
    client.send(b"%x\r\n%s\r\n0\r\n\r\n" % (length, b"x" * length))
    payload = b""
    while (size := int(line(node), 16)) > 0:
        payload += node.take(size)
        assert node.take(2) == b"\r\n"
    assert node.take(2) == b"\r\n"
    assert payload == b"x" * length
    node.send(ok())
    assert client.response() == (200, b"hello")


def line(peer) -> bytes:
    peer.until(lambda: b"\r\n" in peer.got)
    taken = peer.take(peer.got.index(b"\r\n") + 2)
    return taken[:-2]


def test_a_small_chunk_and_the_end_are_one_write(world):
    client, node = world.ask(get("/", "transfer-encoding: chunked", method="POST") + b"2\r\nab\r\n0\r\n\r\n")
    assert node.head()
    assert node.take(12) == b"2\r\nab\r\n0\r\n\r\n"
    node.send(ok())
    assert client.response() == (200, b"hello")


@pytest.mark.parametrize("size", [100, 60_000])
def test_a_large_head_in_pieces(world, size):
    head = get("/", f"x-large: {'y' * size}")
    client = world.client()
    for start in range(0, len(head), 4000):
        client.send(head[start : start + 4000])
        world.settle()
    node = world.nodes[0].accept()
    assert b"y" * size in node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_partial_heads_of_many_clients_do_not_mix(world):
    """Each has its own parser and its own bytes."""
    clients = [world.client() for _ in range(5)]
    heads = [get(f"/{number}", f"x-who: {number}") for number in range(5)]
    for start in range(0, len(heads[0]), 7):
        for client, head in zip(clients, heads, strict=True):
            client.send(head[start : start + 7])
        world.settle()
    found = set()
    for _ in clients:
        node = world.nodes[0].accept()
        head = node.head()
        number = head.split(b" ")[1][1:]
        assert b"\r\nx-who: " + number + b"\r\n" in head
        found.add(number)
        node.send(ok(number))
    assert [client.response() for client in clients] == [(200, b"%d" % number) for number in range(5)]
    assert len(found) == 5
