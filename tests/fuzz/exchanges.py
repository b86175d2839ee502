"""A target for atheris: clients, nodes and the worker itself do anything, in any order; at the end nothing is left.

An input is a play in lines that end with 0xF5, which no good text holds. The first byte of a line says who acts, the
rest what is sent. exchanges.yaml is what the engine is configured with.
"""

import logging
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastproxy import config
from fastproxy.engine import Engine
from fastproxy.model import Address, Cluster, Configuration, HealthFlag
from fastproxy.overload import Overload
from tests.fuzz.fuzzing import fuzz
from tests.unit.engine_world import Peer, World

END_OF_LINE = b"\xf5"
MOST_LINES = 48
CLIENTS = b"abct"
"""The last one's connection is relayed, the others speak HTTP."""
NODES = b"nm"
"""The oldest connection that a node has, and the newest."""
MOST_TURNS = 4000


def listening(backlog: int | None) -> socket.socket:
    """On a port that stays ours. Without a backlog nobody is let in."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    if backlog is not None:
        sock.listen(backlog)
    return sock


SOCKETS = [listening(64), listening(64), listening(None)]


def _with_ports(cluster: Cluster) -> Cluster:
    ports = [sock.getsockname()[1] for sock in SOCKETS]
    hosts = (replace(host, address=Address("127.0.0.1", ports[host.address.port - 1])) for host in cluster.hosts)
    return replace(cluster, hosts=tuple(hosts))


def _configuration() -> Configuration:
    loaded = config.load(str(Path(__file__).with_name("exchanges.yaml"))).configuration
    return replace(loaded, clusters=tuple(map(_with_ports, loaded.clusters)))


CONFIGURATION = _configuration()
HOSTS = CONFIGURATION.cluster("nodes").hosts


FOUND: list[Any] = []
"""What was raised where nothing may be: in a handler, which the engine ends its connection for, and logs; and where
Python goes on after it."""


class Defects(logging.Handler):
    """What is logged as an error."""

    def emit(self, record: logging.LogRecord) -> None:
        FOUND.append(self.format(record))


class Stage:
    """A world whose engine is a new one for every play. What a play has changed for good needs a new stage."""

    def __init__(self) -> None:
        settings = {"listeners": CONFIGURATION.listeners, "clusters": CONFIGURATION.clusters}
        self.world = World(0, configuration={**settings, "session_table_slots": CONFIGURATION.session_table_slots})
        self.relayed = socket.create_server(("127.0.0.1", 0))
        self.relayed.setblocking(False)
        self.world.engine.close()
        self.plays = 0

    def begin(self) -> World:
        world = self.world
        world.sessions[:] = bytes(len(world.sessions))
        world.scales[:] = bytes(len(world.scales))
        world.peers = []
        world.engine = Engine(world.runtime, Overload(memoryview(world.scales)))
        world.engine.reopen_logs()
        world.engine.listen(world.listener.fileno(), 0, 0)
        world.engine.listen(self.relayed.fileno(), 1, 1)
        world.listening = 2
        self.plays += 1
        return world

    def close(self) -> None:
        self.world.listener.close()
        self.relayed.close()


class Play:
    """What is done in a world."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.world = stage.begin()
        self.clients: dict[int, Peer] = {}
        self.nodes: list[Peer] = []
        self.has_changed_the_stage = False

    def act(self, who: int, what: bytes) -> None:
        lower = who | 0x20
        if who in CLIENTS:
            self.send(self.client(who), what)
        elif lower in self.clients:
            self.leave(self.clients.pop(lower), what)
        elif lower in NODES and self.nodes:
            place = -(lower == NODES[1])
            if who == lower:
                self.send(self.nodes[place], what)
            else:
                self.leave(self.nodes.pop(place), what)
        elif chr(who) in CHANGES:
            self.has_changed_the_stage |= chr(who) in LASTING
            CHANGES[chr(who)](self, what[0] if what else 0)
        self.settle()

    def client(self, who: int) -> Peer:
        if who not in self.clients:
            listener = self.stage.relayed if who == CLIENTS[-1] else self.world.listener
            self.clients[who] = self.world.hold(socket.create_connection(listener.getsockname()))
        return self.clients[who]

    @staticmethod
    def send(peer: Peer, data: bytes) -> None:
        with suppress(OSError):
            peer.sock.send(data)

    @staticmethod
    def leave(peer: Peer, how: bytes) -> None:
        """Half a close, a reset, or a close."""
        with suppress(OSError):
            if how[:1] == b"h":
                peer.shut()
            else:
                peer.close(reset=how[:1] == b"r")

    def settle(self, seconds: float = 0.0) -> None:
        """Until nobody has anything to do at once."""
        for _ in range(MOST_TURNS):
            before = [peer.got for peer in self.world.peers], len(self.nodes)
            self.world.turn(seconds)
            self.accept()
            for peer in self.world.peers:
                if peer.sock.fileno() >= 0:
                    peer.read()
            if before == ([peer.got for peer in self.world.peers], len(self.nodes)):
                break
        assert not FOUND, FOUND

    def accept(self) -> None:
        for sock in SOCKETS[:2]:
            with suppress(BlockingIOError):
                self.nodes.append(self.world.hold(sock.accept()[0]))

    def end(self) -> None:
        """Everybody leaves; what is left in the engine then would stay for ever."""
        for peer in self.world.peers:
            self.leave(peer, b"r")
        self.world.scales[:] = bytes(len(self.world.scales))
        try:
            self.world.until(self.is_over)
            assert (self.world.engine.exchanges, self.world.engine.tunnels) == (0, 0)
            assert self.world.gauges() == {}, self.world.gauges()
        finally:
            self.world.engine.close()
        assert self.world.engine.active == 0

    def is_over(self) -> bool:
        self.accept_and_drop()
        assert not FOUND, FOUND
        return self.world.engine.active == self.world.listening

    def accept_and_drop(self) -> None:
        for sock in SOCKETS[:2]:
            with suppress(BlockingIOError):
                self.leave(Peer(self.world, sock.accept()[0]), b"r")


def _reload(play: Play, what: int) -> None:
    clusters = CONFIGURATION.clusters if what % 2 else tuple(map(_smaller, CONFIGURATION.clusters))
    play.world.reload(replace(play.world.configuration, clusters=clusters), {0: 0, 1: 1})


def _smaller(cluster: Cluster) -> Cluster:
    return replace(cluster, hosts=cluster.hosts[:1])


def _set_health(play: Play, what: int) -> None:
    found = [HealthFlag.FAILED_ACTIVE_HC, HealthFlag.DEGRADED_ACTIVE_HC, HealthFlag.FAILED_OUTLIER_CHECK, 0]
    play.world.engine.set_health("nodes", {str(HOSTS[what % 2].address): int(found[what // 2 % 4])})


def _overload(play: Play, what: int) -> None:
    play.world.scales[what % 8] = 100 if what & 8 else 0


CHANGES: dict[str, Callable[[Play, int], Any]] = {
    "w": lambda play, what: play.settle(0.001 * (what % 8)),
    "r": _reload,
    "h": _set_health,
    "s": lambda play, what: play.world.engine.set_hosts("nodes", HOSTS[what % 2 : what % 2 + 2]),
    "o": _overload,
    "v": lambda play, what: play.world.engine.sweep(),
    "d": lambda play, what: play.world.engine.drain(),
}


LASTING = "rhs"
PLAYS = 64
"""On one stage: what was limited in one play is not free again in the next."""
_stages: list[Stage] = []


def stage() -> Stage:
    if not _stages:
        _stages.append(Stage())
    return _stages[0]


def one_input(data: bytes) -> None:
    play = Play(stage())
    try:
        for line in data.split(END_OF_LINE)[:MOST_LINES]:
            if line:
                play.act(line[0], line[1:])
    finally:
        play.end()
        if play.has_changed_the_stage or play.stage.plays == PLAYS:
            _stages.pop().close()


if __name__ == "__main__":
    sys.unraisablehook = FOUND.append
    logging.getLogger("fastproxy").addHandler(Defects(logging.ERROR))
    logging.getLogger("fastproxy").propagate = False
    fuzz(one_input)
