"""One engine in this process, pumped by the test itself, between sockets that the test holds on both sides."""

import fcntl
import select
import socket
import struct
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Self

from fastproxy._sessions import region_bytes
from fastproxy.engine import Engine
from fastproxy.model import (
    Address,
    Cluster,
    Configuration,
    Host,
    HttpConnectionManager,
    LbPolicy,
    Listener,
    LoadShedPoint,
    OverloadAction,
    Route,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from fastproxy.overload import Overload
from fastproxy.overload_watch import POINTS_AT
from fastproxy.runtime import Runtime
from fastproxy.scopes import statistics_of
from fastproxy.stats import StatsLayout, StatsReader
from tests.support.punctual import within

PATIENCE_S = 30.0
KEY = bytes(16)


class Peer:
    """The test's end of a connection with the engine: what it sends, and what has come."""

    def __init__(self, world: "World", sock: socket.socket) -> None:
        self.world, self.sock, self.got, self.ended, self.was_reset = world, sock, b"", False, False
        sock.setblocking(False)

    def send(self, data: bytes) -> Self:
        """Hand over all of `data`, pumping while the kernel takes no more."""
        while data:
            try:
                data = data[self.sock.send(data) :]
            except BlockingIOError:
                self.world.turn()
        return self

    def read(self) -> None:
        """Take what the kernel has."""
        pieces = []
        while not self.ended:
            try:
                pieces.append(self.sock.recv(1 << 16))
            except BlockingIOError:
                break
            except ConnectionError:
                self.ended = self.was_reset = True
                break
            self.ended = not pieces[-1]
        if pieces:
            self.got += b"".join(pieces)

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        self.until(lambda: len(self.got) >= length)
        taken, self.got = self.got[:length], self.got[length:]
        return taken

    def head(self) -> bytes:
        """The next head, its empty line included."""
        self.until(lambda: b"\r\n\r\n" in self.got)
        return self.take(self.got.index(b"\r\n\r\n") + 4)

    def response(self) -> tuple[int, bytes]:
        """Status and body of the next response with a content-length."""
        head = self.head()
        return int(head.split()[1]), self.take(int(field(head, b"content-length") or 0))

    def end(self) -> bytes:
        """What came before the engine closed."""
        self.until(lambda: self.ended)
        rest, self.got = self.got, b""
        return rest

    def until(self, condition: Callable[[], bool]) -> None:
        def look() -> bool:
            self.read()
            return condition()

        self.world.until(look)

    def shut(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool = False) -> None:
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Node:
    """A scripted upstream host: the test accepts, reads and answers by hand."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.address = Address("127.0.0.1", self.listener.getsockname()[1])

    def accept(self) -> Peer:
        found: list[socket.socket] = []

        def look() -> bool:
            with suppress(BlockingIOError):
                found.append(self.listener.accept()[0])
            return bool(found)

        self.world.until(look)
        return self.world.hold(found[0])

    def is_asked(self) -> bool:
        """Whether somebody waits to be accepted."""
        return bool(select.select([self.listener], [], [], 0)[0])

    def stop(self) -> None:
        """Refuse connections from now on."""
        self.listener.close()


def short_name(name: str) -> str:
    """Without the kind and the name of what has the statistic."""
    return name.partition(".")[2].partition(".")[2]


def slots_by_name(layout: StatsLayout) -> dict[str, list[int]]:
    """Where the counters stand that only one listener, connection manager or cluster has: a test may ask often."""
    found: dict[str, dict[str, list[int]]] = {}
    for scope in layout.state.live:
        for name, slot in statistics_of(scope, layout.shown(scope)):
            if not name.startswith("vhost."):
                found.setdefault(short_name(name), {}).setdefault(name, []).append(slot)
    return {name: slots for name, owners in found.items() for slots in owners.values() if len(owners) == 1}


class World:
    """An engine with one listener and one cluster of as many nodes as asked for.

    `scales` are the bytes of the overload manager, `max_fds` the descriptors that the engine believes to have.
    """

    def __init__(self, nodes: int = 1, max_fds: int | None = None, **settings: Any) -> None:
        self.scales = bytearray(64)
        self.peers: list[Peer] = []
        self._counted: StatsLayout | None = None
        self.nodes = [Node(self) for _ in range(nodes)]
        self.configuration = configuration([node.address for node in self.nodes], **settings)
        self.layout = StatsLayout(self.configuration)
        self.row = memoryview(bytearray(8 * 8 * self.layout.slots)).cast("Q")
        self.sessions = memoryview(bytearray(region_bytes(self.configuration.session_table_slots)))
        self.runtime = Runtime(self.configuration, self.layout, self.row, self.sessions, KEY)
        self.engine = Engine(self.runtime, Overload(memoryview(self.scales), max_fds))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.listener.setblocking(False)
        self.engine.listen(self.listener.fileno(), 0)
        self.listening = 1

    def reload(self, configuration: Configuration, listeners: Mapping[int, int] = MappingProxyType({0: 0})) -> None:
        """Have the engine use another configuration; `listeners` are places in it, by the number of the socket."""
        self.configuration = configuration
        counts = {cluster.name: 4 for cluster in configuration.clusters}  # also for hosts that went
        self.layout = self.layout.extended(configuration, counts, lambda scope: False, len(self.row))
        self.engine.prepare(configuration, self.layout)
        self.engine.commit(listeners)
        self.listening = len(listeners)
        self.runtime = self.engine.runtime

    def change(self, **settings: Any) -> None:
        """Reload with other settings of `configuration`; a setting that is not named is as it is by default."""
        self.reload(configuration([node.address for node in self.nodes], **settings))

    def turn(self, timeout_s: float = 0.05) -> None:
        """Let the engine do what there is to do, or wait a little for something."""
        if select.select([self.engine], [], [], timeout_s)[0]:
            self.engine.pump()

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            self.turn(0.005)

    def settle(self) -> None:
        """Until the engine has nothing to do."""
        while select.select([self.engine], [], [], 0.01)[0]:
            self.engine.pump()

    def restart(self) -> None:
        """Close the engine, and have another one in its place."""
        self.engine.close()
        assert self.engine.active == 0
        self.engine = Engine(self.runtime)
        self.engine.listen(self.listener.fileno(), 0)

    def act(self, action: OverloadAction, percent: int = 100) -> None:
        """Have the overload manager's action go that far."""
        self.scales[list(OverloadAction).index(action)] = percent

    def shed(self, point: LoadShedPoint, percent: int = 100) -> None:
        """Have so much of the load shed at that point."""
        self.scales[POINTS_AT + list(LoadShedPoint).index(point)] = percent

    def hold(self, sock: socket.socket) -> Peer:
        peer = Peer(self, sock)
        self.peers.append(peer)
        return peer

    def client(self) -> Peer:
        return self.hold(socket.create_connection(self.listener.getsockname()))

    def ask(self, request: bytes) -> tuple[Peer, Peer]:
        """A client that has sent a request, and the node's end of the connection that it opened."""
        client = self.client().send(request)
        return client, self.nodes[0].accept()

    def count(self, name: str) -> int:
        """A statistic of listener, connection manager or cluster by the end of its name."""
        if self._counted is not self.layout:
            self._counted, self._slots = self.layout, slots_by_name(self.layout)
        slots = self._slots.get(name)
        if slots is not None:
            return sum(self.row[slot] for slot in slots)
        values = {key: value for key, value in self.statistics().items() if not key.startswith("vhost.")}
        (found,) = [value for key, value in values.items() if short_name(key) == name]
        return found

    def statistics(self) -> dict[str, int]:
        """The values of all statistics by name."""
        return {each.name: each.value for each in StatsReader(self.layout, [self.row]).statistics()}

    def host(self, index: int) -> dict[str, int]:
        return StatsReader(self.layout, [self.row]).host("backend", index)

    def gauges(self) -> dict[int, int]:
        """The gauges that are not zero, by slot."""
        return {slot: self.row[slot] for slot in self.layout.gauges() if self.row[slot]}

    def close(self) -> None:
        """Close every peer; then nothing but the listener may be left, nor after the engine's end."""
        try:
            for peer in self.peers:
                peer.close()
            self.until(lambda: self.engine.active == self.listening)
            assert (self.engine.exchanges, self.engine.tunnels) == (0, 0)
            assert self.gauges() == {}
        finally:
            self.engine.close()
            for node in self.nodes:
                node.stop()
            self.listener.close()
        assert self.engine.active == 0


def configuration(addresses: list[Address], **settings: Any) -> Configuration:
    """One listener and one cluster; `cluster`, `route`, `manager`, `domains` and `configuration` replace fields,
    `routes` all routes, `hosts` has the fields of each host."""
    fields = settings.get("hosts", ({},) * len(addresses))
    hosts = tuple(Host(address, **each) for address, each in zip(addresses, fields, strict=True))
    cluster = Cluster("backend", hosts=hosts, lb_policy=LbPolicy.ROUND_ROBIN, connect_timeout_s=5)
    route = Route(RouteMatch(prefix="/"), "backend", allow_websocket=True)
    routes = settings.get("routes", (replace(route, **settings.get("route", {})),))
    virtual_host = VirtualHost("all", settings.get("domains", ("*",)), routes)
    manager = HttpConnectionManager("test", RouteConfiguration((virtual_host,)))
    listener = Listener("main", Address("127.0.0.1", 1), replace(manager, **settings.get("manager", {})))
    return replace(
        Configuration((listener,), (replace(cluster, **settings.get("cluster", {})),), session_table_slots=1 << 10),
        **settings.get("configuration", {}),
    )


BATCH = 256  # events that the engine takes at a time


def cross(client: Peer, node: Peer, request: bytes) -> Peer:
    """Have the node close before it has the request, of which the engine hears one batch of events earlier: the lines
    of others stand between."""
    world = client.world
    others = [world.client() for _ in range(BATCH)]
    world.settle()
    for each in (client, *others):
        each.sock.sendall(request if each is client else b"\r\n")
    node.close()
    world.settle()
    for each in others:
        each.close()
    return client


def get(path: str = "/", *lines: str, method: str = "GET") -> bytes:
    """A request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: example.com", *lines, "", ""]).encode()


def ok(body: bytes = b"hello", *lines: str) -> bytes:
    """A response with a content-length."""
    return "\r\n".join(["HTTP/1.1 200 OK", f"content-length: {len(body)}", *lines, "", ""]).encode() + body


def field(head: bytes, name: bytes) -> bytes | None:
    """The value of a header of a head, None when it is not there."""
    values = [line.partition(b":")[2].strip() for line in head.split(b"\r\n") if line.lower().startswith(name + b":")]
    return values[0] if values else None


WEBSOCKET_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
WEBSOCKET_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def handshake(path: str = "/", *lines: str) -> bytes:
    """A WebSocket handshake, with the key of RFC 6455's example."""
    return get(
        path, "Connection: keep-alive, Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Key: {WEBSOCKET_KEY}",
        "Sec-WebSocket-Version: 13", *lines,
    )  # fmt: skip


def switching() -> bytes:
    """The 101 that answers `handshake`."""
    lines = ["HTTP/1.1 101 Switching Protocols", "connection: Upgrade", "upgrade: websocket"]
    return "\r\n".join([*lines, f"sec-websocket-accept: {WEBSOCKET_ACCEPT}", "", ""]).encode()


def waiting(peer: Peer) -> int:
    """How many bytes that the peer has sent the engine's kernel does not have yet."""
    return struct.unpack("i", fcntl.ioctl(peer.sock, termios.TIOCOUTQ, bytes(4)))[0]


def fill(writer: Peer) -> bytes:
    """Send until the engine takes no more, since nobody reads, and a little that waits in its kernel: what was sent."""
    world, data, sent = writer.world, bytes(range(256)) * 256, b""

    def taken() -> int:
        return world.count("downstream_cx_rx_bytes_total") + world.count("upstream_cx_rx_bytes_total")

    while True:
        before = taken()
        with suppress(BlockingIOError):
            sent += data[: writer.sock.send(data)]
        world.turn(0)
        if taken() == before:
            world.settle()
        if taken() == before:
            world.until(lambda: waiting(writer) == 0)
            return sent


def small_buffer(reader: Peer) -> None:
    """What the engine sends from now on waits on its side until the reader takes it."""
    reader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)


def read_slowly(reader: Peer, length: int, pieces: int = 40, timer_s: float = 3600.0) -> None:
    """Take so many bytes more, the engine's timers running in between; some at least before one of `timer_s` fires."""
    wanted = len(reader.got) + length
    while len(reader.got) < wanted and not reader.ended:
        with within(timer_s), suppress(BlockingIOError):
            data = reader.sock.recv(length // pieces + 1)
            reader.got += data
            reader.ended = not data
            reader.world.turn(0.015)
