"""Packets and bytes, by connection manager, route, cluster and host."""

import gzip
from dataclasses import replace

import pytest

from fastproxy.model import (
    Address,
    Listener,
    LocalReplies,
    LogCondition,
    LogFilter,
    LogOperator,
    ReplyMapper,
    Route,
    RouteMatch,
    SessionAffinity,
    TcpCluster,
    TcpProxy,
)
from tests.support.websocket import frame
from tests.unit.engine_world import Peer, World, get, handshake, ok, switching

POLL = "/socket.io/?EIO=4&transport=polling&sid=abc"
OLD_POLL = "/socket.io/?EIO=3&transport=polling&sid=abc"
SCOPES = ["http.test", "vhost.all.route.0", "cluster.backend"]


def packets(world: World) -> tuple[int, int]:
    """From the clients and from the hosts; every scope agrees."""
    found, host = world.statistics(), world.host(0)
    both = [(found[f"{scope}.packets_rx_total"], found[f"{scope}.packets_tx_total"]) for scope in SCOPES]
    both.append((host["packets_rx_total"], host["packets_tx_total"]))
    assert both[0] == both[1] == both[2][::-1] == both[3][::-1]
    return both[0]


def unread(world: World) -> tuple[int, int]:
    """Polls and directions of WebSockets; route and connection manager agree."""
    found = world.statistics()
    both = [(found[f"{scope}.packets_unread_polls"], found[f"{scope}.packets_unread_ws"]) for scope in SCOPES[:2]]
    assert both[0] == both[1]
    return both[0]


def tunnel(world: World, behind: bytes = b"", early: bytes = b"") -> tuple[Peer, Peer]:
    client, node = world.ask(handshake("/") + early)
    node.head()
    node.send(switching() + behind)
    client.head()
    assert (client.take(len(behind)), node.take(len(early))) == (behind, early)
    return client, node


def carry(source: Peer, target: Peer, data: bytes) -> None:
    source.send(data)
    assert target.take(len(data)) == data


def test_messages_of_a_tunnel(worlds):
    world = worlds()
    client, node = tunnel(world)
    for at in range(0, 100, 7):
        carry(client, node, (frame(b"42" * 10, masked=True) * 4)[at : at + 7])
    carry(node, client, frame(b"x" * 300_000) + frame(b"", 9) + frame(b"2")[:2])
    assert packets(world) == (4, 1)
    carry(node, client, b"2")
    assert packets(world) == (4, 2)


def test_messages_that_come_with_the_heads(worlds):
    world = worlds()
    client, node = tunnel(world, frame(b"0{}") + frame(b"40")[:1], frame(b"a", masked=True) * 2 + frame(b"b")[:2])
    assert packets(world) == (2, 1)
    carry(node, client, frame(b"40")[1:])
    carry(client, node, b"b")
    assert packets(world) == (3, 2)


def test_a_direction_with_broken_frames(worlds):
    world = worlds()
    client, node = tunnel(world)
    carry(node, client, frame(b"a") + b"\xff\xff nobody knows")
    carry(node, client, frame(b"a"))
    carry(client, node, frame(b"a"))
    assert (packets(world), unread(world)) == ((1, 1), (0, 1))


def test_a_tcp_proxy_carries_no_packets(worlds):
    listener = Listener("main", Address("127.0.0.1", 1), TcpProxy("t", (TcpCluster("backend"),)))
    world = worlds(configuration={"listeners": (listener,)})
    client = world.client()
    carry(client, world.nodes[0].accept(), frame(b"a"))
    found = world.statistics()
    assert found["tcp.t.downstream_cx_rx_bytes_total"] == 3
    assert not any(value for name, value in found.items() if "packets" in name)


def exchange(world: World, request: bytes, answer: bytes) -> None:
    client, node = world.ask(request)
    node.head()
    node.send(answer)
    client.response()
    world.settle()
    client.close()
    node.close()


def post(path: str, body: bytes, *lines: str) -> bytes:
    return get(path, f"content-length: {len(body)}", *lines, method="POST") + body


@pytest.mark.parametrize(
    ("path", "body", "number"),
    [
        (POLL, b"2", 1),
        (POLL, b'42["a"]\x1ebAQID\x1e6', 3),
        (POLL, b"4" + b"x" * 200_000 + b"\x1e2", 2),
        (OLD_POLL, "2:406:42[1€]".encode(), 2),
        (OLD_POLL, b"\x00\x01\xff2\x01\x03\xff\x04ab", 2),
    ],
)
def test_packets_of_polls(worlds, path, body, number):
    world = worlds()
    exchange(world, get(path), ok(body))
    assert packets(world) == (0, number)
    exchange(world, post(path, body), ok(b"ok"))
    assert (packets(world), unread(world)) == ((number, number), (0, 0))


def test_packets_in_chunks(worlds):
    world = worlds()
    chunked = b"3\r\n2\x1e2\r\n2\r\n\x1e6\r\n0\r\n\r\n"
    client, node = world.ask(get(POLL, "transfer-encoding: chunked", method="POST"))
    for byte in chunked:
        client.send(bytes([byte]))
    node.head()
    node.until(lambda: node.got.endswith(b"0\r\n\r\n"))
    node.got = b""
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    assert client.response() == (200, b"ok")
    assert packets(world) == (3, 0)
    client.send(get(POLL))
    node.head()
    node.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked)
    client.until(lambda: client.got.endswith(b"0\r\n\r\n"))
    assert packets(world) == (3, 3)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (get("/socket.io/?EIO=4&transport=polling"), ok(gzip.compress(b"0{}", mtime=0), "content-encoding: gzip")),
        (get(POLL), ok(b'___eio[0]("2");')),
        (get(OLD_POLL + "&j=1"), ok(b'___eio[1]("1:6");')),
        (post(POLL, b"d=2"), ok(b"ok")),
        (post(POLL, gzip.compress(b"2", mtime=0), "content-encoding: gzip"), ok(b"ok")),
    ],
)
def test_polls_that_are_not_read(worlds, request_, answer):
    world = worlds()
    exchange(world, request_, answer)
    assert (packets(world), unread(world)) == ((0, 0), (1, 0))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (get(POLL), ok(b"4").replace(b"200 OK", b"400 Bad Request")),
        (post(POLL, b"4"), ok(b"ok").replace(b"200 OK", b"400 Bad Request")),
        (get(POLL, method="OPTIONS"), ok(b"4")),
        (get(POLL, "transfer-encoding: chunked", method="PUT") + b"1\r\n4\r\n0\r\n\r\n", ok(b"4")),
        (get(POLL), ok(b"")),
        (get("/?transport=polling"), ok(b"4")),
        (post("/", b"4"), ok(b"4")),
        (get("/?EIO=4"), ok(b"4")),
    ],
)
def test_what_brings_no_packets(worlds, request_, answer):
    world = worlds()
    exchange(world, request_, answer)
    assert (packets(world), unread(world)) == ((0, 0), (0, 0))


def test_an_identity_is_no_coding(worlds):
    world = worlds()
    exchange(world, get(POLL), ok(b"2", "content-encoding: identity"))
    assert packets(world) == (0, 1)


def test_a_poll_that_nobody_answers(worlds):
    world = worlds()
    client, node = world.ask(post(POLL, b"2"))
    node.head()
    node.close()
    assert client.response()[0] == 503
    assert packets(world) == (0, 0)


def test_a_200_of_the_proxy_s_own_brings_no_packets(worlds):
    mapper = ReplyMapper(LogFilter(LogCondition.STATUS, LogOperator.EQ, 503), 200)
    world = worlds(0, manager={"local_replies": LocalReplies((mapper,))})
    assert world.client().send(post(POLL, b"2")).response()[0] == 200
    assert world.statistics()["http.test.packets_rx_total"] == 0


def bytes_of(world: World) -> list[tuple[int, int]]:
    """Received and sent, by connection manager and by route."""
    found = world.statistics()
    names = "http.test.downstream_cx_{}_bytes_total", "vhost.all.route.0.{}_bytes_total"
    return [(found[name.format("rx")], found[name.format("tx")]) for name in names]


def test_bytes_of_a_route_are_those_of_its_requests(worlds):
    world = worlds()
    client, node = world.ask(get("/", "transfer-encoding: chunked", method="POST") + b"3\r\n")
    node.head()
    client.send(b"abc\r\n0\r\n\r\n\r\n")
    node.take(13)
    node.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    node.close()
    client.until(lambda: client.got.endswith(b"0\r\n\r\n"))
    of_manager, of_route = bytes_of(world)
    assert of_route[1] == of_manager[1] == len(client.got)
    assert of_route[0] == of_manager[0] - 2  # the empty line behind belongs to no request


def test_bytes_of_a_route_with_a_tunnel(worlds):
    world = worlds()
    client, node = tunnel(world, frame(b"a"), frame(b"bc"))
    carry(client, node, frame(b"123"))
    carry(node, client, frame(b"12345"))
    of_manager, of_route = bytes_of(world)
    assert of_manager == of_route
    assert of_route[0] == len(handshake("/")) + 4 + 5


def test_bytes_that_are_no_routes(worlds):
    world = worlds(domains=("elsewhere",))
    client = world.client().send(get())
    assert client.response()[0] == 404
    of_manager, of_route = bytes_of(world)
    assert of_manager[0] == len(get())
    assert of_route == (0, 0)


def test_routes_count_for_themselves(worlds):
    chat = Route(RouteMatch(prefix="/chat"), "backend", allow_websocket=True, name="chat")
    other = replace(chat, match=RouteMatch(prefix="/"), name="other")
    silent = replace(chat, match=RouteMatch(prefix="/silent"), name="silent", affinity=SessionAffinity(protocols=()))
    world = worlds(routes=(chat, silent, other))
    for path in ("/chat", "/silent"):
        client, node = world.ask(handshake(path))
        node.head()
        node.send(switching())
        client.head()
        carry(client, node, frame(b"a"))
    found = world.statistics()
    assert [found[f"vhost.all.route.{name}.packets_rx_total"] for name in ("chat", "other")] == [1, 0]
    assert [found[f"vhost.all.route.{name}.ws_active"] for name in ("chat", "other")] == [1, 0]
    assert found["http.test.packets_rx_total"] == 2


def test_a_route_that_went_has_its_counters_while_it_has_a_websocket(worlds):
    chat = Route(RouteMatch(prefix="/"), "backend", allow_websocket=True, name="chat")
    world = worlds(routes=(chat,))
    client, node = tunnel(world)
    world.change(routes=(replace(chat, name="talk"),))
    carry(client, node, frame(b"a"))
    found = world.statistics()
    assert [found[f"vhost.all.route.{name}.packets_rx_total"] for name in ("chat", "talk")] == [1, 0]
    client.close()
    node.close()
    world.until(lambda: world.engine.tunnels == 0)
    assert "vhost.all.route.chat.ws_active" not in world.statistics()


def test_websockets_of_a_route(worlds):
    world = worlds()
    client, node = tunnel(world)
    found = world.statistics()
    assert [found[f"vhost.all.route.0.ws_{what}"] for what in ("total", "active")] == [1, 1]
    client.close()
    node.close()
    world.until(lambda: world.engine.tunnels == 0)
    found = world.statistics()
    assert [found[f"vhost.all.route.0.ws_{what}"] for what in ("total", "active")] == [1, 0]
