"""What a node does over time, where bytes alone do not say it: silence, slowness, the tail of a tunnel, a race.

Each function plays one fault and returns what is wrong with the outcome, or nothing. They know no proxy.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.corpus.strict import Stream, read_response
from tests.support.adversary import Node, Peer
from tests.support.processes import descendants
from tests.support.websocket import handshake, switching

PATIENCE_S = 3.0  # for an answer
TAIL_BYTES = 4_000_000
GET = b"GET /fault HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
GATEWAY = (502, 503, 504)


class Front:
    """A proxy between clients and a node that a test drives by hand."""

    def __init__(self, port: int, node: Node, pid: int) -> None:
        self.port = port
        self.node = node
        self.pid = pid
        self.clients: list[Peer] = []

    def client(self, *, receive_buffer: int = 0) -> Peer:
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(PATIENCE_S)
        connection.connect(("127.0.0.1", self.port))
        client = Peer(connection)
        client.socket.settimeout(PATIENCE_S)
        self.clients.append(client)
        return client

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def tunnel(self, **how: int) -> tuple[Peer, Peer]:
        client = self.client(**how) << handshake()
        node = self.node.busy_peer()
        node.read_head()
        node << switching()
        client.read_head()
        return client, node

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The proxy does not run meanwhile."""
        pids = [self.pid, *descendants(self.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def answered(client: Peer) -> int:
    """The status of a complete answer, 0 for one that was visibly cut or none."""
    stream = Stream(lambda data: read_response(data, b"GET", False))
    with suppress(OSError):
        while not any(not each.is_interim for each in stream.messages):
            more = client.read_some()
            if not more:
                break
            stream.feed(more)
    return stream.messages[-1].status if stream.messages else 0


def stall_before_the_head(front: Front) -> str:
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    status = answered(client)
    return "" if status in GATEWAY else f"answered {status}"


def stall_in_the_head(front: Front) -> str:
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    node << b"HTTP/1.1 200 OK\r\ncontent-le"
    status = answered(client)
    return "" if status in GATEWAY else f"answered {status}"


def stall_in_a_body(front: Front) -> str:
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
    status = answered(client)
    return "" if status == 0 else f"answered {status}"


def stall_in_a_chunk(front: Front) -> str:
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    node << b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n5\r\nhe"
    status = answered(client)
    return "" if status == 0 else f"answered {status}"


def trickle(front: Front) -> str:
    """A byte at a time, none later than a timer allows: the answer is the answer."""
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    for at in range(len(OK)):
        node << OK[at : at + 1]
        time.sleep(0.001)
    status = answered(client)
    return "" if status == 200 else f"answered {status}"


def answer_that_overtakes_a_request(front: Front) -> str:
    """A node says more on a kept connection just when the next request is on its way: that is no answer to it."""
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    node << OK
    assert answered(client) == 200
    with front.stopped():
        client << GET.replace(b"/fault", b"/next")
        node << b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
    with suppress(AssertionError, OSError):
        node.socket.settimeout(0.3)
        node.read_head()  # where the request came on this connection, nobody answers it
    client.socket.settimeout(0.3)
    with suppress(OSError):
        return "another's answer" if b"evil" in client.read_some() else ""
    return ""


def tail_of_a_tunnel(front: Front) -> str:
    """A node that sends much and ends, and a client that reads slowly: every byte arrives."""
    client, node = front.tunnel(receive_buffer=4096)
    data = bytes(range(256)) * (TAIL_BYTES // 256)
    node.socket.sendall(data[:-100_000])
    node << data[-100_000:]
    node.half_close()
    received = 0
    with suppress(ConnectionResetError, TimeoutError):
        while more := client.socket.recv(16384):
            received += len(more)
            time.sleep(0.0002)
    received += len(client._take(1 << 20))
    return "" if received == len(data) else f"{len(data) - received} of {len(data)} bytes are lost"


def client_that_talks_to_an_ended_tunnel(front: Front) -> str:
    """A node sends much and ends while the client goes on sending: what the node sent still arrives."""
    client, node = front.tunnel(receive_buffer=4096)
    data = bytes(range(256)) * 4000
    node.socket.sendall(data)
    node.half_close()
    received = 0
    with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
        while more := client.socket.recv(16384):
            received += len(more)
            client << b"still here"
    return "" if received == len(data) else f"{len(data) - received} of {len(data)} bytes are lost"


def release_of_a_tunnels_client(front: Front) -> str:
    """Both directions have ended at the node: the client is told at once."""
    client, node = front.tunnel()
    began = time.monotonic()
    node.close()
    with suppress(ConnectionResetError):
        client.read_to_end()
    waited = time.monotonic() - began
    return "" if waited < 0.5 else f"held for {waited:.1f} s"


def head_that_never_ends(front: Front) -> str:
    """A node sends field lines until somebody hangs up."""
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    node.socket.settimeout(2)
    with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
        node << b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1_000_000
    status = answered(client)
    return "" if status in GATEWAY else f"answered {status}"


def interim_answers_without_end(front: Front) -> str:
    """A node sends 103 after 103: it is not to keep its client for ever."""
    client = front.client() << GET
    node = front.node.busy_peer()
    node.read_head()
    node.socket.settimeout(2)
    sent = 0
    with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
        while sent < 8_000_000:
            sent += node.socket.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 1000)
    if sent >= 8_000_000:
        return f"{sent // 1_000_000} MB of them taken, and no end"
    status = answered(client)
    return "" if status in GATEWAY else f"answered {status}"


FAULTS: dict[str, Callable[[Front], str]] = {
    "a node is silent before its head": stall_before_the_head,
    "silent in its head": stall_in_the_head,
    "silent in a body": stall_in_a_body,
    "silent in a chunk": stall_in_a_chunk,
    "a byte at a time": trickle,
    "an answer too many, just when the next request leaves": answer_that_overtakes_a_request,
    "the tail of a tunnel, the client reads slowly": tail_of_a_tunnel,
    "the tail of a tunnel, the client still sends": client_that_talks_to_an_ended_tunnel,
    "the client of a tunnel that has ended is released": release_of_a_tunnels_client,
    "a head without an end": head_that_never_ends,
    "interim answers without an end": interim_answers_without_end,
}
