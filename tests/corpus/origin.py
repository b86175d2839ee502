"""A node that runs in the thread of the test, turn by turn: what it has received is known when a turn has ended.

It answers every request with a text that says which one it was, so that nobody's answer can be mistaken for another's.
"""

import select
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.corpus.strict import Read, Stream, read_request
from tests.support.socket_tables import unread_and_inode
from tests.support.websocket import accept_of


def tag_of(request: Read) -> bytes:
    """What the answer to a request says."""
    return b"this answers " + b" ".join(request.first) + b" with %d bytes" % len(request.body)


def plain_answer(request: Read) -> bytes:
    """The tagged answer; a handshake of a websocket is answered as RFC 6455 asks."""
    tag = tag_of(request)
    keys = request.all(b"sec-websocket-key")
    if keys and request.all(b"upgrade") == [b"websocket"] and request.all(b"sec-websocket-version") == [b"13"]:
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-accept: " + accept_of(keys[0]) + b"\r\n\r\n"
        )
    start = b"HTTP/1.1 426 Upgrade Required\r\n" if request.all(b"upgrade") else b"HTTP/1.1 200 OK\r\n"
    head = start + b"content-length: %d\r\n\r\n" % len(tag)
    return head if request.first[0] == b"HEAD" else head + tag


@dataclass(eq=False)
class Link:
    """A connection of the proxy with the node."""

    socket: socket.socket
    stream: Stream = field(default_factory=lambda: Stream(read_request))
    is_tunnel: bool = False
    is_open: bool = True

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def unread_by_proxy(self) -> int:
        try:
            return unread_and_inode(self.socket.getpeername(), self.socket.getsockname())[0]
        except OSError:  # it is gone
            return 0


class Origin:
    """Listens on a port of its own; `turn` does what there is to do."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.listener.setblocking(False)
        self.port: int = self.listener.getsockname()[1]
        self.links: dict[int, Link] = {}
        self.requests: list[tuple[Link, Read]] = []  # all that came since `begin`, in order
        self.faults: list[str] = []  # why a strict node would have refused something
        self.received = 0  # bytes
        self.respond: Callable[[Link, Read], None] = self.answer
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)

    def begin(self, respond: Callable[[Link, Read], None] | None = None) -> None:
        """Forget what came before; connections stay."""
        self.requests = []
        self.faults = []
        self.received = 0
        self.respond = respond or self.answer

    def answer(self, link: Link, request: Read) -> None:
        """What it says to a request unless it was told something else."""
        reply = plain_answer(request)
        link.is_tunnel = reply.startswith(b"HTTP/1.1 101")
        self.send(link, reply)

    def send(self, link: Link, data: bytes) -> None:
        """What the proxy does not take is lost with its connection."""
        try:
            link.socket.sendall(data)
        except OSError:
            link.is_open = False

    def watch(self, other: socket.socket) -> None:
        """Have `turn` tell of another socket too."""
        self.poll.register(other, select.EPOLLIN)

    def turn(self, timeout_s: float = 0.0) -> list[int]:
        """Accept, read and answer what is there; the descriptors of watched sockets that something came for."""
        others = []
        for fd, _ in self.poll.poll(timeout_s):
            if fd == self.listener.fileno():
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.links[connection.fileno()] = Link(connection)
                self.poll.register(connection, select.EPOLLIN)
                others.append(-1)
            elif fd in self.links:
                self._read(self.links[fd])
                others.append(-1)
            else:
                others.append(fd)
        return others

    def _read(self, link: Link) -> None:
        try:
            data = link.socket.recv(262144)
        except OSError:
            data = b""
        if not data:
            self.drop(link)
            return
        self.received += len(data)
        if link.is_tunnel:
            return
        for request in link.stream.feed(data):
            self.requests.append((link, request))
            self.respond(link, request)
        if link.stream.fault:
            self.faults.append(link.stream.fault)
            self.drop(link)

    def drop(self, link: Link) -> None:
        """Close a connection, whatever it carries."""
        self.links.pop(link.socket.fileno(), None)
        link.is_open = False
        link.socket.close()

    def hang_up(self) -> None:
        for link in list(self.links.values()):
            self.drop(link)

    def close(self) -> None:
        self.hang_up()
        self.listener.close()
        self.poll.close()
