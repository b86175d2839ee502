"""A proxy between clients and a node, where a test drives both ends by hand."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.adversary import Node, Peer
from tests.support.processes import descendants
from tests.support.punctual import within
from tests.support.websocket import handshake, switching

PATIENCE_S = 10.0  # for an answer
NARROW_BYTES = 16384
SEGMENT_BYTES = 1460


class Front:
    """A proxy between clients and a node that a test drives by hand. It gives up what is silent for `stall_s`."""

    def __init__(self, port: int, node: Node, pid: int, stall_s: float) -> None:
        self.stall_s = stall_s
        self.port = port
        self.node = node
        self.pid = pid
        self.clients: list[Peer] = []

    def client(self, *, receive_buffer: int = 0, segments: int = 0) -> Peer:
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if segments:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segments)
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
        with within(self.stall_s):
            client = self.client(**how) << handshake()
            node = self.node.busy_peer()
            node.read_head()
            node << switching()
            client.read_head()
        return client, node

    def narrow_tunnel(self) -> tuple[Peer, Peer]:
        """Both ends take little at a time, in segments as those of a network, and tell soon that more was read."""
        self.node.hang_up()
        self.node.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BYTES)
        self.node.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        return self.tunnel(receive_buffer=NARROW_BYTES, segments=SEGMENT_BYTES)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The proxy does not run meanwhile."""
        pids = [self.pid, *descendants(self.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
