"""What follows a 101: bytes, both ways, until one side ends."""

import random
import threading

import pytest

from tests.support.adversary import Node, Peer
from tests.support.processes import wait_until
from tests.support.proxies import World, Worlds
from tests.support.websocket import handshake, switching, tunnel


def echo(node: Node, peer: Peer) -> None:
    """Answer the handshake, then return every byte."""
    peer.read_head()
    peer << switching()
    while data := peer.socket.recv(65536):
        peer << data


@pytest.fixture(scope="module")
def echoing(worlds: Worlds) -> World:
    return worlds.start(nodes=[Node(echo)])


@pytest.mark.parametrize("seed", range(4))
def test_echo_of_random_sizes(echoing: World, seed: int) -> None:
    chance = random.Random(seed)
    client = echoing.client() << handshake()
    assert client.read_head().status == 101
    for _ in range(60):
        message = chance.randbytes(int(2 ** chance.uniform(0, 18)))
        client << message
        assert client.read_exactly(len(message)) == message


def test_both_directions_at_once(world: World) -> None:
    """Neither direction waits for the other: each side sends megabytes before it reads."""
    client, node = tunnel(world)
    down, up = random.Random(1).randbytes(3_000_000), random.Random(2).randbytes(3_000_000)
    senders = [threading.Thread(target=peer.socket.sendall, args=[data]) for peer, data in ((client, up), (node, down))]
    for sender in senders:
        sender.start()
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(node.read_exactly(len(up))))
    reader.start()
    assert client.read_exactly(len(down)) == down
    reader.join()
    assert received == [up]
    for sender in senders:
        sender.join()


def test_one_byte_at_a_time(world: World) -> None:
    client, node = tunnel(world)
    for number in range(2000):
        byte = bytes([number % 256])
        client << byte
        assert node.read_exactly(1) == byte
        node << byte
        assert client.read_exactly(1) == byte


def test_one_byte_writes_without_waiting(world: World) -> None:
    client, node = tunnel(world)
    for number in range(3000):
        client << bytes([number % 256])
    assert node.read_exactly(3000) == bytes(number % 256 for number in range(3000))


@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
def test_client_ends(world: World, end) -> None:
    client, node = tunnel(world)
    client << b"last"
    node >> b"last"
    end(client)
    node.assert_ended()


@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
def test_node_ends(world: World, end) -> None:
    client, node = tunnel(world)
    node << b"last"
    client >> b"last"
    end(node)
    client.assert_ended()


def test_last_words_of_the_client(world: World) -> None:
    """Bytes sent right before the end arrive before it."""
    client, node = tunnel(world)
    client << b"x" * 100_000
    client.close()
    assert node.read_to_end() == b"x" * 100_000


def test_last_words_of_the_node(world: World) -> None:
    client, node = tunnel(world)
    node << b"x" * 100_000
    node.close()
    assert client.read_to_end() == b"x" * 100_000


def test_reset_with_bytes_under_way(world: World) -> None:
    """A side that resets while much waits to be sent to it takes nothing else down."""
    client, node = tunnel(world)
    other_client, other_node = tunnel(world)
    sender = threading.Thread(target=flood, args=[node])
    sender.start()
    client.read_exactly(100_000)
    client.reset()
    sender.join()
    other_client << b"still here"
    other_node >> b"still here"


def flood(peer: Peer) -> None:
    try:
        for _ in range(10_000):
            peer << b"x" * 65_536
    except OSError:
        return
    raise AssertionError("the proxy took everything")


def test_tunnels_are_counted(world: World) -> None:
    client, node = tunnel(world)
    stats = world.proxy.stats()
    assert stats["http.ingress_http.downstream_cx_upgrades_active"] == 1
    assert stats["cluster.backend.upstream_cx_active"] == 1
    client.close()
    node.assert_ended()
    node.close()
    wait_until(lambda: not world.proxy.stats()["http.ingress_http.downstream_cx_upgrades_active"], "it is counted out")
