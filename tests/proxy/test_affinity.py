"""A session stays on the node that issued its `sid`, whatever the ring says and whichever worker is asked."""

import itertools
import random
import secrets
import select

import pytest

from tests.support.adversary import Node, answering
from tests.support.engine_io import (
    SESSION_UNKNOWN,
    ask,
    ask_upgrade,
    engine_io,
    node_of,
    open_packet,
    response,
    sid_in,
)
from tests.support.messages import Message
from tests.support.proxies import Json, World, Worlds, departures

OPEN = "/socket.io/?EIO=4&transport=polling&t=abc"
KNOWN = "/socket.io/?EIO={eio}&transport={transport}&sid={sid}"
RING: Json = {
    "cluster_fields": {"lb_policy": "RING_HASH"},
    "action": {"hash_policy": [{"header": {"header_name": "referer"}}]},
}
STICKS = pytest.mark.departure("Envoy knows nothing of sids")
SESSIONS = 12


def cluster_of(worlds: Worlds, *, nodes: int = 4, concurrency: int = 1, **how) -> World:
    return worlds.start(nodes=[Node(engine_io(**how)) for _ in range(nodes)], concurrency=concurrency, **RING)


def referer(number: object) -> dict[str, str]:
    return {"referer": f"http://a/{number}"}


def some_referer() -> dict[str, str]:
    return referer(secrets.token_hex(4))


def open_session(world: World, eio: str = "4", headers: dict[str, str] | None = None) -> tuple[str, int]:
    """A new session: its sid and the port of its node."""
    answer = ask(world, OPEN.replace("EIO=4", f"EIO={eio}"), headers=headers or some_referer())
    assert answer.status == 200
    return sid_in(answer.body), node_of(answer)


def assert_sticks(world: World, sid: str, node: int, eio: str = "4") -> None:
    """Polls, posts and the upgrade reach the node, with any Referer and without one."""
    polling, websocket = (KNOWN.format(eio=eio, transport=each, sid=sid) for each in ("polling", "websocket"))
    for headers in (some_referer(), some_referer(), {}):
        for method in ("GET", "POST"):
            answer = ask(world, polling, method=method, headers=headers)
            assert (answer.status, answer.body, node_of(answer)) == (200, b"ok", node)
    for more in (b"Referer: http://a/%d\r\n" % random.randrange(1000), b""):
        head = ask_upgrade(world, websocket, more)
        assert (head.status, node_of(head)) == (101, node)


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> World:
    """Nobody is asked for unknown ids: they go where they would go without one."""
    hosts = [Node(engine_io()) for _ in range(4)]
    return worlds.start(nodes=hosts, http_filters=departures(ask_unknown=False), **RING)


@STICKS
@pytest.mark.parametrize("eio", ["3", "4"])
def test_sid_of_the_open_packet_is_learned(world: World, eio: str) -> None:
    opened = [open_session(world, eio) for _ in range(SESSIONS)]
    assert len({node for _, node in opened}) > 1
    for sid, node in opened:
        assert_sticks(world, sid, node, eio)


@STICKS
def test_all_on_one_connection(world: World) -> None:
    """A browser's polls share a connection with those of other sessions; the connection does not decide."""
    client = world.client()
    opened = []
    for _ in range(SESSIONS):
        answer = ask(world, OPEN, headers=some_referer(), peer=client)
        opened.append((sid_in(answer.body), node_of(answer)))
    for sid, node in opened * 3:
        answer = ask(world, KNOWN.format(eio=4, transport="polling", sid=sid), headers=some_referer(), peer=client)
        assert (answer.status, node_of(answer)) == (200, node)


def chunked(sizes: int):
    """Frames an answer in chunks of so many bytes."""

    def encode(node: Node, body: bytes) -> bytes:
        pieces = [body[at : at + sizes] for at in range(0, len(body), sizes)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return b"HTTP/1.1 200 OK\r\nx-node: %d\r\ntransfer-encoding: chunked\r\n\r\n%b0\r\n\r\n" % (node.port, framed)

    return encode


@STICKS
@pytest.mark.parametrize("eio", ["3", "4"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_sid_in_chunks(worlds: Worlds, eio: str, size: int) -> None:
    world = cluster_of(worlds, encode=chunked(size))
    for sid, node in [open_session(world, eio) for _ in range(SESSIONS)]:
        assert_sticks(world, sid, node, eio)


@STICKS
@pytest.mark.parametrize("eio", ["3", "4"])
def test_sid_in_pieces(worlds: Worlds, how: str, eio: str) -> None:
    world = cluster_of(worlds, how=how)
    for sid, node in [open_session(world, eio) for _ in range(6)]:
        assert_sticks(world, sid, node, eio)


@STICKS
def test_sid_in_pieces_of_separate_reads(worlds: Worlds, how: str) -> None:
    """The open packet cut where the proxy certainly sees it cut: each piece is sent when the last was read."""
    hosts = [Node() for _ in range(3)]
    world = worlds.start(nodes=hosts, **RING)
    client = world.client() << f"GET {OPEN} HTTP/1.1\r\nhost: a\r\nreferer: x\r\n\r\n".encode()
    issuer = next(node for node in itertools.cycle(hosts) if _has_connection(node))
    peer = issuer.accept()
    peer.read_request()
    sid = secrets.token_urlsafe(15)
    peer.send_cut(response(issuer, open_packet(sid)), how)
    assert sid_in(client.read_response().body) == sid
    for number in range(6):
        poll = KNOWN.format(eio=4, transport="polling", sid=sid)
        other = world.client() << f"GET {poll} HTTP/1.1\r\nhost: a\r\nreferer: {number}\r\n\r\n".encode()
        again = issuer.busy_peer()
        assert again.read_request().head.target == poll.encode()
        again << response(issuer, b"ok")
        assert other.read_response().body == b"ok"


def _has_connection(node: Node) -> bool:
    return bool(select.select([node.listener], [], [], 0.01)[0])


@STICKS
@pytest.mark.parametrize("length", [1, 20, 32, 36, 64])
def test_sids_of_any_length(worlds: Worlds, length: int) -> None:
    letters = itertools.count()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def mint() -> str:
        return secrets.token_urlsafe(64)[: length - 1].replace("_", "-") + alphabet[next(letters) % len(alphabet)]

    world = cluster_of(worlds, mint=mint)
    for sid, node in [open_session(world) for _ in range(6)]:
        assert len(sid) == length
        assert_sticks(world, sid, node)


@STICKS
def test_any_worker_knows(worlds: Worlds) -> None:
    """Every request comes on a connection of its own, so that all workers are asked about every session."""
    world = cluster_of(worlds, concurrency=2)
    for sid, node in [open_session(world) for _ in range(30)]:
        assert_sticks(world, sid, node)


class TestExactness:
    """Only the query parameter `sid`, whole, and only a sid that a node issued."""

    def stray(self, world: World) -> tuple[str, dict[str, str], int]:
        """A session's sid, a Referer whose hash points to another node than the session's, and that node's port."""
        sid, issuer = open_session(world)
        for number in itertools.count():
            other = node_of(ask(world, "/page", headers=referer(number)))
            if other != issuer:
                return sid, referer(number), other
        raise AssertionError("unreachable")

    @STICKS
    @pytest.mark.parametrize(
        "target",
        [
            "/socket.io/?EIO=4&sid={sid}",
            "/socket.io/?EIO=4&transport=polling&sid={sid}&t=x",
            "/any/path?a=b&sid={sid}&EIO=4",
            "/socket.io/?xsid=other&sid={sid}&EIO=4",
        ],
    )
    def test_is_the_sid(self, world: World, target: str) -> None:
        sid, headers, other = self.stray(world)
        assert node_of(ask(world, target.format(sid=sid), headers=headers)) != other

    @pytest.mark.parametrize(
        "target",
        [
            "/socket.io/?EIO=4&xsid={sid}",
            "/socket.io/?EIO=4&connect.sid={sid}",
            "/socket.io/?EIO=4&sidx={sid}",
            "/socket.io/?EIO=4&SID={sid}",
            "/socket.io/?EIO=4&sid={sid}x",
            "/socket.io/?EIO=4&sid=x{sid}",
            "/socket.io/?EIO=4&sid=",
            "/socket.io/?EIO=4&t=sid={sid}",
            "/socket.io/EIO=4&sid={sid}",
            "/socket.io/?EIO=4%23sid={sid}",
            "/socket.io/sid={sid}?EIO=4",
        ],
    )
    def test_is_not_the_sid(self, world: World, target: str) -> None:
        sid, headers, other = self.stray(world)
        assert node_of(ask(world, target.format(sid=sid), headers=headers)) == other

    @pytest.mark.parametrize("cookie", ["connect.sid={sid}", "sid={sid}", "io={sid}"])
    def test_cookies_are_not_the_sid(self, world: World, cookie: str) -> None:
        sid, headers, other = self.stray(world)
        answer = ask(world, "/socket.io/?EIO=4&t=1", headers={**headers, "cookie": cookie.format(sid=sid)})
        assert node_of(answer) == other

    @STICKS
    def test_cookie_beside_the_sid(self, world: World) -> None:
        (sid, headers, other), (decoy, _) = self.stray(world), open_session(world)
        target = KNOWN.format(eio=4, transport="polling", sid=sid)
        answer = ask(world, target, headers={**headers, "cookie": f"connect.sid=s%3A{decoy}; sid={decoy}"})
        assert (answer.status, node_of(answer) != other) == (200, True)

    def test_unknown_sid_goes_where_the_hash_points(self, world: World) -> None:
        for number in range(10):
            pointed_at = node_of(ask(world, "/page", headers=referer(number)))
            target = KNOWN.format(eio=4, transport="polling", sid=secrets.token_hex(10))
            answer = ask(world, target, headers=referer(number))
            assert (answer.status, answer.body) == (400, SESSION_UNKNOWN)
            assert node_of(answer) == pointed_at

    def test_upgrade_with_an_unknown_sid_goes_where_the_hash_points(self, world: World) -> None:
        for number in range(5):
            pointed_at = node_of(ask(world, "/page", headers=referer(number)))
            target = KNOWN.format(eio=4, transport="websocket", sid=secrets.token_hex(10))
            head = ask_upgrade(world, target, b"Referer: http://a/%d\r\n" % number)
            assert (head.status, node_of(head)) == (400, pointed_at)


class TestNotLearned:
    """Nothing but a node's answer to a polling handshake teaches the proxy a sid."""

    def assert_not_learned(self, worlds: Worlds, target: str, status: bytes = b"200 OK") -> None:
        """`target` is answered with what looks like an open packet; the sid in it must stay unknown."""
        sids = [secrets.token_hex(10) for _ in range(8)]

        def serve(node: Node, request: Message) -> bytes:
            asked = request.head.get(b"x-teach")
            return response(node, open_packet(asked.decode()), status) if asked else response(node, b"ok")

        world = worlds.start(nodes=[Node(answering(serve)) for _ in range(4)], **RING)
        for number, sid in enumerate(sids):
            ask(world, target, headers={**referer(number), "x-teach": sid})
        for number, sid in enumerate(sids):
            headers = referer(f"other-{number}")
            pointed_at = node_of(ask(world, "/page", headers=headers))
            assert node_of(ask(world, KNOWN.format(eio=4, transport="polling", sid=sid), headers=headers)) == pointed_at

    def test_from_a_page(self, worlds: Worlds) -> None:
        self.assert_not_learned(worlds, "/page?x=1")

    def test_from_an_error(self, worlds: Worlds) -> None:
        self.assert_not_learned(worlds, OPEN, b"400 Bad Request")

    def test_when_switched_off(self, worlds: Worlds) -> None:
        hosts = [Node(engine_io()) for _ in range(4)]
        world = worlds.start(nodes=hosts, http_filters=departures(sid_affinity=False), **RING)
        for _ in range(SESSIONS):
            sid, _ = open_session(world)
            headers = some_referer()
            pointed_at = node_of(ask(world, "/page", headers=headers))
            assert node_of(ask(world, KNOWN.format(eio=4, transport="polling", sid=sid), headers=headers)) == pointed_at
