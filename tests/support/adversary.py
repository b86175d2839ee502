"""Clients and nodes that behave as badly as a test wants: raw sockets, every byte written and read by the test itself.

    client << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"      bytes out
    node = world.node.accept()
    node >> b"GET / HTTP/1.1\r\nhost: a\r\n..."          bytes in, exactly these

They delay (send when the test says so), split (`send_cut`), cut (`half_close`, `close`) and reset (`reset`).
Nothing here knows which proxy stands between the two ends.
"""

import contextlib
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

from tests.support.messages import Head, Message, unchunk
from tests.support.processes import PATIENCE_S, wait_until
from tests.support.socket_tables import is_waited_at, unread_and_inode


def cut(data: bytes, how: str) -> list[bytes]:
    """The data in pieces: "whole", "byte by byte", or "random:<seed>" cut at random points."""
    if how == "whole":
        return [data]
    if how == "byte by byte":
        return [data[at : at + 1] for at in range(len(data))]
    chance = random.Random(how)
    points = sorted(chance.sample(range(1, len(data)), min(len(data) - 1, chance.randint(1, 6))))
    return [data[start:end] for start, end in zip([0, *points], [*points, len(data)], strict=True)]


class Peer:
    """One end of a connection with the proxy, a client's or a node's."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_S)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.address = connection.getsockname()
        self.remote = connection.getpeername()
        self._held = bytearray()

    # bytes out

    def __lshift__(self, data: bytes) -> Self:
        self.socket.sendall(data)
        return self

    def send_cut(self, data: bytes, how: str) -> Self:
        """Send in pieces, each only when the proxy has read the one before (or does not want to for 50 ms).

        A proxy that has seen enough and hung up is no error here: what it answered is there to be read.
        """
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in cut(data, how):
                self << piece
                self._let_proxy_read(time.monotonic() + 0.05)
        return self

    def _let_proxy_read(self, deadline: float) -> None:
        while self.unread_by_proxy() and time.monotonic() < deadline:
            time.sleep(0.0002)

    def unread_by_proxy(self) -> int:
        return unread_and_inode(self.remote, self.address)[0]

    def inode_of_remote(self) -> int:
        """Of the proxy's end of this connection."""
        return unread_and_inode(self.remote, self.address)[1]

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close with an RST, whatever is unread."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # bytes in

    def __rshift__(self, expected: bytes) -> Self:
        """Assert that exactly these bytes come next. A head at their beginning is compared masked, in any order."""
        head, end, body = expected.partition(b"\r\n\r\n")
        if end and b"HTTP/1." in head.split(b"\r\n", 1)[0]:
            wanted = Head.parse(head + end)
            got = self.read_head()
            assert got.masked() == wanted.masked(), f"\n got {got}\nwant {wanted}"
        else:
            body = expected
        received = self.read_exactly(len(body))
        assert received == body, f"\n got {received[:2000]!r}\nwant {body[:2000]!r}"
        return self

    def _fill(self) -> bool:
        """Take what is there, waiting for it; False at the end of the stream. A reset raises ConnectionResetError."""
        data = self.socket.recv(262144)
        self._held += data
        return bool(data)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def read_exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            assert self._fill(), f"the stream ended after {bytes(self._held[:2000])!r}, {size} bytes were expected"
        return self._take(size)

    def read_some(self) -> bytes:
        """Whatever comes next; nothing at the end of the stream."""
        if not self._held:
            self._fill()
        return self._take(len(self._held))

    def read_head(self) -> Head:
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            assert self._fill(), f"the stream ended inside a head: {bytes(self._held[:2000])!r}"
        return Head.parse(self._take(end + 4))

    def read_chunked(self) -> bytes:
        """A chunked body up to its end, decoded."""
        while True:
            body, taken, complete = unchunk(bytes(self._held))
            if complete:
                self._take(taken)
                return body
            assert self._fill(), f"the stream ended inside a chunked body: {bytes(self._held[:2000])!r}"

    def read_to_end(self) -> bytes:
        """Everything up to the end of the stream, however it ends."""
        with contextlib.suppress(ConnectionResetError):
            while self._fill():
                pass
        return self._take(len(self._held))

    def read_request(self) -> Message:
        head = self.read_head()
        if head.get(b"transfer-encoding") == b"chunked":
            return Message(head, self.read_chunked())
        return Message(head, self.read_exactly(int(head.get(b"content-length") or 0)))

    def read_response(self, *, to: str = "GET") -> Message:
        """The next response; `to` is the method that it answers. Without any framing it ends with the stream."""
        head = self.read_head()
        if to == "HEAD" or head.status in (101, 204, 304):
            return Message(head, b"")
        if head.get(b"transfer-encoding") == b"chunked":
            return Message(head, self.read_chunked())
        length = head.get(b"content-length")
        return Message(head, self.read_to_end() if length is None else self.read_exactly(int(length)))

    def readable(self) -> bool:
        """Whether bytes or an end have already come."""
        if self.socket.fileno() < 0:
            return False
        return bool(self._held or select.select([self.socket], [], [], 0)[0])

    def assert_ended(self) -> None:
        """The proxy closes this connection, and nothing more arrives before it does."""
        rest = self.read_to_end()
        assert rest == b"", f"before the end came {rest[:2000]!r}"

    def assert_fin(self) -> None:
        """The proxy ends its direction with a FIN, not with a reset."""
        assert not self._held, bytes(self._held)
        assert self.socket.recv(1) == b""

    def assert_reset(self) -> None:
        """The connection is torn down by the proxy: a reset is seen, or an end and then refusal of our bytes."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            self.read_to_end()
            while True:
                self << b"x"
                time.sleep(0.001)


class Node:
    """An upstream host on a port of its own that a test drives by hand, or that answers by itself.

    With `serve` each connection gets a thread that runs it; without, connections wait for `accept`.
    """

    def __init__(
        self, serve: Callable[["Node", Peer], None] | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.listener = socket.create_server((host, port), backlog=128)
        self.listener.settimeout(PATIENCE_S)
        self.port: int = self.listener.getsockname()[1]
        self.peers: list[Peer] = []
        self.requests: list[Message] = []  # for `serve` functions to write to
        self._lock = threading.Lock()
        self._serve = serve
        if serve is not None:
            self.listener.settimeout(None)
            threading.Thread(target=self._accept_all, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def accept(self) -> Peer:
        peer = Peer(self.listener.accept()[0])
        with self._lock:
            self.peers.append(peer)
        return peer

    def busy_peer(self) -> Peer:
        """The connection on which bytes come next, a new one or one from a pool."""
        held = [peer for peer in self.peers if peer.readable()]
        if not held:
            sockets = {peer.socket: peer for peer in self.peers if peer.socket.fileno() >= 0}
            ready = select.select([self.listener, *sockets], [], [], PATIENCE_S)[0]
            assert ready, f"nothing came to {self.address}"
            held = [sockets[each] for each in ready if each is not self.listener]
        return held[0] if held else self.accept()

    def assert_untouched(self) -> None:
        """No connection waits to be accepted: nothing reached this node since the last accept."""
        assert not select.select([self.listener], [], [], 0)[0], f"{self.address} was connected to"

    def _accept_all(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._run, args=[self.accept()], daemon=True).start()

    def _run(self, peer: Peer) -> None:
        assert self._serve is not None
        with contextlib.suppress(OSError, AssertionError):  # the test sees at the other end what went wrong
            self._serve(self, peer)
        if peer.socket.fileno() >= 0:
            with contextlib.suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)

    def hang_up(self) -> None:
        """Close every connection, also those not accepted yet."""
        if self._serve is None:
            for peer in self._waiting():
                peer.close()
        with self._lock:
            peers, self.peers = self.peers, []
        for peer in peers:
            with contextlib.suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)
            peer.close()
        self.requests.clear()

    def _waiting(self) -> Iterator[Peer]:
        while select.select([self.listener], [], [], 0)[0]:
            with contextlib.suppress(OSError):
                yield Peer(self.listener.accept()[0])

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes a thread that accepts
        self.listener.close()
        self.hang_up() if self._serve is not None else None


def answering(respond: Callable[[Node, Message], bytes]) -> Callable[[Node, Peer], None]:
    """A `serve` function: keep-alive, each request answered with the bytes that `respond` returns."""

    def serve(node: Node, peer: Peer) -> None:
        while True:
            request = peer.read_request()
            node.requests.append(request)
            peer << respond(node, request)

    return serve


class FullQueue:
    """A listening socket whose accept queue is full: a connect to it neither succeeds nor fails."""

    def __init__(self) -> None:
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port: int = self.listener.getsockname()[1]
        self._fillers = [self._filler() for _ in range(4)]
        wait_until(lambda: is_waited_at(self.port), "the queue is full")

    def _filler(self) -> socket.socket:
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", self.port))
        return filler

    def close(self) -> None:
        for each in [*self._fillers, self.listener]:
            each.close()
