"""Bytes right behind the handshake and right behind the 101 are the first bytes of the tunnel."""

import pytest

from tests.support.proxies import World
from tests.support.websocket import handshake, switching, upgrade_seen

FRAMES = [
    b"\x81\x85abcd\x00\x01\x02\x03\x04",
    b"early",
    b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"\r\n\r\n",
    b"x" * 100_000,
]


@pytest.mark.parametrize("frame", FRAMES)
def test_behind_the_handshake(world: World, frame: bytes) -> None:
    client = world.client() << handshake() + frame
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    node << switching()
    assert client.read_head().status == 101
    assert node.read_exactly(len(frame)) == frame


def test_behind_the_handshake_in_pieces(world: World, how: str) -> None:
    client = world.client().send_cut(handshake() + FRAMES[0] + FRAMES[2], how)
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    node << switching()
    assert client.read_head().status == 101
    node >> FRAMES[0]
    assert node.read_exactly(len(FRAMES[2])) == FRAMES[2]


@pytest.mark.parametrize("frame", FRAMES)
def test_behind_the_switch(world: World, frame: bytes) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    node << switching() + frame
    assert client.read_head().status == 101
    assert client.read_exactly(len(frame)) == frame


def test_behind_the_switch_in_pieces(world: World, how: str) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    node.send_cut(switching() + FRAMES[0] + FRAMES[2], how)
    assert client.read_head().status == 101
    client >> FRAMES[0]
    assert client.read_exactly(len(FRAMES[2])) == FRAMES[2]


def test_both_ways_at_once(world: World, how: str) -> None:
    client = world.client().send_cut(handshake() + b"from the client", how)
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    node.send_cut(switching() + b"from the node", how)
    assert client.read_head().status == 101
    node >> b"from the client"
    client >> b"from the node"


def test_while_the_node_thinks(world: World) -> None:
    """What the client says before the 101 waits for it, and is neither lost nor sent too soon."""
    client = world.client() << handshake()
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    client << b"one"
    client << b"two"
    node << switching()
    assert client.read_head().status == 101
    node >> b"onetwo"


def test_node_that_says_all_and_leaves(world: World) -> None:
    client = world.client() << handshake()
    node = world.node.accept()
    assert upgrade_seen(node.read_head())
    node << switching() + b"good bye"
    node.half_close()
    assert client.read_head().status == 101
    assert client.read_to_end() == b"good bye"
