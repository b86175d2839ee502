"""Whatever becomes of hosts while requests wait, back off and are tried again: each is at one host at a time, as often
as its policy says and within the limits of that host; a session's at its own only; and each client has one answer.
"""

import socket
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fastproxy.model import CircuitBreakers, Host, LbPolicy, Thresholds
from fastproxy.model_affinity import MCP, SessionAffinity
from fastproxy.model_health import HealthFlag
from fastproxy.model_routes import RetryPolicy
from tests.property.scenes import ended
from tests.unit.engine_world import Peer, World, get, ok

HOSTS = 3
TRIES = 3  # of a request, the first one included
PER_HOST = 2  # connections
SAID = {
    "fine": ok(b"fine"),
    "last": ok(b"fine", "connection: close"),
    "busy": b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy",
    "busy-last": b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy",
    "nothing": b"",
}
RESET = b"upstream connect error or disconnect/reset before headers. reset reason: connection termination"
RETRIED = RESET.replace(b"reset reason", b"retried and the latest reset reason")
FAILURES = [(503, each.replace(b"connection termination", b"remote connection failure")) for each in (RESET, RETRIED)]
ANSWERS = [(200, b"fine"), (503, b"busy"), (503, RESET), (503, RETRIED), *FAILURES]
EVENTS = ["leave", "eject", "heal", "remove", "reload", "refuse", "listen"]
HAPPENS = ["come", "come", "come-session", *EVENTS, *SAID, *SAID]


class Scene:
    """A world of three hosts with a session each."""

    def __init__(self, kind: LbPolicy) -> None:
        policy = RetryPolicy(
            ("5xx", "reset", "connect-failure"), TRIES - 1, back_off_base_s=0.001, back_off_max_s=0.001,
            avoids_previous_hosts=True, host_selection_retry_max_attempts=5,
        )  # fmt: skip
        limits = Thresholds(max_connections_per_host=PER_HOST, max_retries=100)
        self.world = World(
            HOSTS,
            route={"retry_policy": policy},
            cluster={"circuit_breakers": CircuitBreakers(limits), "lb_policy": kind},
            manager={"affinity": SessionAffinity(protocols=(MCP,))},
        )
        self.peers: list[tuple[int, Peer]] = []
        self.at: dict[int, tuple[int, Peer]] = {}
        self.seen: dict[int, list[int]] = {}
        self.clients: dict[int, Peer] = {}
        self.sessions: dict[int, int] = {}  # places by request
        self.places: list[int] = []  # of sessions
        self.gone: int | None = None  # the host that has left
        self.refusing: set[int] = set()
        self.has_refused: set[int] = set()  # whose sessions may be lost
        self.lost: set[int] = set()  # requests of a session that is lost with its host
        self.begin_sessions()

    def begin_sessions(self) -> None:
        for session in range(HOSTS):
            number = -1 - session
            self.clients[number] = self.world.client().send(get(f"/{number}", "content-length: 0", method="POST"))
            self.world.until(lambda: self.look() or number in self.at)  # noqa: B023
            self.places.append(self.at[number][0])
            self.at.pop(number)[1].send(ok(b"", f"mcp-session-id: {session:016}"))
            assert self.clients.pop(number).response() == (200, b"")

    def come(self, number: int, session: int | None) -> None:
        """A request, of a session or of none."""
        lines = [] if session is None else [f"mcp-session-id: {session:016}"]
        if session is not None:
            self.sessions[number] = self.places[session]
            if self.gone == self.places[session]:
                self.lost.add(number)
        request = get(f"/{number}", "content-length: 2", *lines, method="POST")
        self.clients[number] = self.world.client().send(request + b"hi")

    def look(self) -> bool:
        """Let everything happen that can, and see which requests have come."""
        self.world.settle()
        for place, node in enumerate(self.world.nodes):
            while place not in self.refusing and node.is_asked():
                self.peers.append((place, node.accept()))
        for place, peer in self.peers:
            if peer.sock.fileno() < 0:
                continue
            peer.read()
            if b"\r\n\r\n" in peer.got:
                self.arrived(int(peer.head().split()[1][1:]), place, peer)
        self.check()
        return False

    def arrived(self, number: int, place: int, peer: Peer) -> None:
        if number >= 0:
            assert peer.take(2) == b"hi"
        before = self.at.get(number)
        assert before is None or before[1].ended, "it is at two hosts at once"
        self.at[number] = place, peer
        self.seen.setdefault(number, []).append(place)

    def check(self) -> None:
        for number, places in self.seen.items():
            assert len(places) <= TRIES
            assert number not in self.sessions or set(places) == {self.sessions[number]}
        for place in range(HOSTS):
            assert sum(where == place for where, peer in self.at.values() if not peer.ended) <= PER_HOST

    def says(self, number: int, what: str) -> None:
        _, peer = self.at.pop(number)
        if what == "nothing":
            peer.close()
        else:
            peer.send(SAID[what])

    def hosts(self) -> list[Host]:
        return [Host(node.address) for node in self.world.nodes]

    def happen(self, what: str, number: int, choice: int) -> None:
        place = choice % HOSTS
        if what in ("come", "come-session"):
            has_session = what == "come-session" and self.places[place] not in self.has_refused
            self.come(number, place if has_session else None)
        elif what == "refuse" and place not in self.refusing:
            self.look()
            self.refusing.add(place)
            self.has_refused.add(place)
            self.world.nodes[place].stop()
        elif what == "listen" and place in self.refusing:
            self.refusing.remove(place)
            node = self.world.nodes[place]
            node.listener = socket.create_server(("127.0.0.1", node.address.port))
            node.listener.setblocking(False)
        elif what == "leave" and self.clients:
            left = sorted(self.clients)[choice % len(self.clients)]
            self.clients.pop(left).close()
            self.at.pop(left, None)
        elif what in ("eject", "heal"):
            flag = int(HealthFlag.FAILED_OUTLIER_CHECK) if what == "eject" else 0
            self.world.engine.set_health("backend", {str(self.world.nodes[place].address): flag})
        elif what == "remove":
            self.gone = place
            self.world.engine.set_hosts("backend", [host for i, host in enumerate(self.hosts()) if i != place])
        elif what == "reload":
            self.gone = None
            cluster = self.world.configuration.clusters[0]
            changed = replace(cluster, hosts=tuple(self.hosts()), connect_timeout_s=1.0 + choice)
            self.world.reload(replace(self.world.configuration, clusters=(changed,)))
        elif what in SAID and self.at:
            self.says(sorted(self.at)[choice % len(self.at)], what)

    def finish(self) -> None:
        """All that are left are answered."""
        for number, client in self.clients.items():
            self.finish_one(client)
            response = client.response()
            if number in self.lost:
                assert number not in self.seen
                assert response[0] == 404
            else:
                may_be_lost = self.sessions.get(number) in self.has_refused
                assert response in ANSWERS or (may_be_lost and response[0] == 404)
            client.read()
            assert client.got == b"", "a second answer"

    def finish_one(self, client: Peer) -> None:
        def is_answered() -> bool:
            client.read()
            return client.got != b""

        while not is_answered():
            self.world.until(lambda: self.look() or bool(self.at) or is_answered())
            for each in list(self.at):
                self.says(each, "fine")


ACTIONS = st.lists(st.tuples(st.sampled_from(HAPPENS), st.integers(0, 9)), max_size=24)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([LbPolicy.ROUND_ROBIN, LbPolicy.LEAST_REQUEST, LbPolicy.RING_HASH]), ACTIONS)
def test_each_request_is_at_one_host_and_each_client_has_one_answer(
    kind: LbPolicy, actions: list[tuple[str, int]]
) -> None:
    scene = Scene(kind)
    with ended(scene):
        for number, (what, choice) in enumerate(actions):
            scene.happen(what, number, choice)
            scene.look()
        scene.finish()
