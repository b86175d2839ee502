"""64 MiB for a reader that does not read: the sender is held back and the proxy's memory stays what it was."""

import hashlib
import threading
import time
from collections.abc import Callable

import pytest

from tests.support.adversary import Node, Peer, answering
from tests.support.proxies import World, Worlds
from tests.support.websocket import tunnel

MIB = 1 << 20
SIZE = 64 * MIB
BLOCK = bytes(range(256)) * 1024
DIGEST = hashlib.sha256(BLOCK * (SIZE // len(BLOCK))).digest()
ALLOWED_KIB = 8 * 1024

pytestmark = pytest.mark.timeout(300)


class Sender:
    """Sends 64 MiB from a thread of its own; `sent` bytes are out of our hands."""

    def __init__(self, peer: Peer) -> None:
        self.sent = 0
        self._peer = peer
        peer.socket.settimeout(100)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for _ in range(SIZE // len(BLOCK)):
            self._peer.socket.sendall(BLOCK)
            self.sent += len(BLOCK)

    def wait_held_back(self) -> None:
        """Return when nothing more is taken from the sender; it must not be rid of everything."""
        unchanged = 0
        while unchanged < 6:
            before = self.sent
            time.sleep(0.05)
            unchanged = unchanged + 1 if self.sent == before else 0
        assert self.sent < SIZE, "64 MiB were taken though nobody reads"

    def join(self) -> None:
        self._thread.join(60)
        assert self.sent == SIZE


def assert_held_back(world: World, writer: Peer, reader: Peer, read_all: Callable[[], bytes]) -> None:
    """`read_all` returns the digest of what came, once reading begins."""
    before = world.proxy.pss_kib()
    sender = Sender(writer)
    sender.wait_held_back()
    held = world.proxy.pss_kib()
    assert held - before < ALLOWED_KIB, f"{before} KiB before, {held} KiB with a sender held back"
    reader.socket.settimeout(60)
    assert read_all() == DIGEST
    sender.join()
    after = world.proxy.pss_kib()
    assert after - before < ALLOWED_KIB, f"{before} KiB before, {after} KiB after"


def digest_of(reader: Peer) -> bytes:
    digest = hashlib.sha256()
    for _ in range(SIZE // len(BLOCK)):
        digest.update(reader.read_exactly(len(BLOCK)))
    return digest.digest()


def test_tunnel_to_the_client(world: World) -> None:
    client, node = tunnel(world)
    assert_held_back(world, node, client, lambda: digest_of(client))


def test_tunnel_to_the_node(world: World) -> None:
    client, node = tunnel(world)
    assert_held_back(world, client, node, lambda: digest_of(node))


def test_response(world: World) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % SIZE
    assert client.read_head().status == 200
    assert_held_back(world, node, client, lambda: digest_of(client))


def test_request(world: World) -> None:
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % SIZE
    node = world.node.accept()
    assert node.read_head().method == b"POST"
    assert_held_back(world, client, node, lambda: digest_of(node))


def test_others_go_on(world: World) -> None:
    """A tunnel that is held back costs its neighbours nothing."""
    client, node = tunnel(world)
    sender = Sender(node)
    sender.wait_held_back()
    other_client, other_node = tunnel(world)
    for number in range(100):
        other_client << b"%d" % number
        other_node >> b"%d" % number
    client.socket.settimeout(60)
    assert digest_of(client) == DIGEST
    sender.join()


def test_pipelining_client_that_does_not_read(worlds: Worlds) -> None:
    """Requests of a client that takes no answers are not read without end, nor are the answers held without end."""
    large = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + bytes(100_000)
    world = worlds.start(nodes=[Node(answering(lambda node, message: large))])
    client = world.client()
    client.socket.settimeout(1)
    before = world.proxy.pss_kib()
    with pytest.raises(TimeoutError):
        client << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 3_000_000
    assert world.proxy.pss_kib() - before < ALLOWED_KIB
