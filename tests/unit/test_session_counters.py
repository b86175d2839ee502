"""Where a session without a hash begins, and what is counted and logged of sessions by host and by route."""

import json
from pathlib import Path

import pytest

from fastproxy.model import AccessLog, HeaderHashPolicy, LbPolicy, Route, RouteMatch, SessionAffinity
from fastproxy.session_stats import digest_of
from tests.unit.engine_world import Peer, World, get, handshake, ok, switching

POLL = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"


def open_packet(sid: str) -> bytes:
    return b"0" + json.dumps({"sid": sid, "pingInterval": 25000, "pingTimeout": 20000}).encode()


def asked(world: World) -> int:
    """The number of the node that a request has gone to, by a connection that it waits for."""
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    (number,) = [number for number, node in enumerate(world.nodes) if node.is_asked()]
    return number


def receive(world: World, request: bytes) -> tuple[int, Peer, Peer]:
    """Which node a request has come to, the client, and the node's end."""
    client = world.client().send(request)
    number = asked(world)
    peer = world.nodes[number].accept()
    peer.head()
    return number, client, peer


def values(world: World, number: int, *names: str) -> tuple[int, ...]:
    counters = world.host(number)
    return tuple(counters[name] for name in names)


def test_handshakes_that_nobody_has_answered_yet_spread(worlds):
    world = worlds(3)
    asked_nodes = [receive(world, get(POLL))[0] for _ in range(3)]
    assert sorted(asked_nodes) == [0, 1, 2]
    assert [values(world, number, "sid_opening_active", "sid_opening_total") for number in range(3)] == [(1, 1)] * 3


def test_websockets_count_where_a_poll_begins(worlds):
    world = worlds(2)
    number, _, peer = receive(world, handshake(WEBSOCKET))
    peer.send(switching())
    world.until(lambda: world.engine.tunnels == 1)
    for _ in range(3):
        other, client, node = receive(world, get(POLL))
        assert other != number
        node.send(ok(b"", "connection: close"))  # no session came of it
        client.response()


@pytest.mark.parametrize(
    "request_",
    [
        get("/"),
        get("/socket.io/?EIO=4&transport=polling", method="OPTIONS"),
        get("/socket.io/?EIO=4&transport=polling", method="POST"),
        get("/socket.io/?EIO=4"),
        handshake("/"),
    ],
)
def test_what_opens_no_session_takes_turns(worlds, request_):
    world = worlds(2)
    assert [receive(world, request_)[0] for _ in range(4)] == [0, 1, 0, 1]
    assert values(world, 0, "sid_opening_total") == (0,)


def test_it_can_be_left_to_the_balancer(worlds):
    world = worlds(2, manager={"affinity": SessionAffinity(least_sessions=False)})
    receive(world, handshake(WEBSOCKET))[2].send(switching())
    world.until(lambda: world.engine.tunnels == 1)
    assert [receive(world, get(POLL))[0] for _ in range(3)] == [1, 0, 1]


def test_a_hash_decides(worlds):
    policies = (HeaderHashPolicy("x"),)
    world = worlds(3, cluster={"lb_policy": LbPolicy.RING_HASH}, route={"hash_policies": policies})
    assert len({receive(world, get(POLL, "x: 1"))[0] for _ in range(4)}) == 1


def test_a_host_that_refuses_has_no_session_opening(worlds):
    world = worlds(2)
    world.nodes[0].stop()
    for _ in range(4):
        client = world.client().send(get(POLL))
        peer = world.nodes[1].accept()
        peer.head()
        peer.send(ok(b"", "connection: close"))
        client.response()
    assert values(world, 0, "sid_opening_active") == (0,)
    assert values(world, 1, "sid_opening_active") == (0,)


def live(world: World, number: int) -> int:
    """Sessions that the table has for a node."""
    table = world.runtime.sessions
    assert table is not None
    return table.live(digest_of(world.nodes[number].address))


def learn(world: World, sid: str) -> tuple[int, Peer]:
    number, client, peer = receive(world, get(POLL))
    peer.send(ok(open_packet(sid)))
    assert client.response()[0] == 200
    return number, peer


def test_a_poll_and_its_upgrade(worlds):
    world = worlds(2)
    number, peer = learn(world, "abc")
    assert values(world, number, "sid_opened_polling", "sid_learned", "sid_opening_active") == (1, 1, 0)
    assert live(world, number) == 1
    client = world.client().send(handshake(WEBSOCKET + "&sid=abc"))
    peer.head()
    names = ("sid_upgrade_tried", "sid_upgrade_done", "ws_active", "ws_total", "sid_opened_websocket")
    assert values(world, number, *names) == (1, 0, 0, 0, 0)
    peer.send(switching())
    client.head()
    assert values(world, number, *names) == (1, 1, 1, 1, 0)
    assert live(world, number) == 0  # the tunnel stands for it
    client.close()
    peer.close()
    world.until(lambda: world.engine.tunnels == 0)
    assert values(world, number, *names) == (1, 1, 0, 1, 0)
    assert values(world, 1 - number, *names) == (0, 0, 0, 0, 0)
    for scope in ("http", "vhost"):
        assert total(world, scope, "sid_opened_polling", "sid_known", "sid_upgrade_tried", "sid_upgrade_done") == (
            (1, 1, 1, 1)
        )


def total(world: World, scope: str, *names: str) -> tuple[int, ...]:
    found = world.statistics()
    prefix = {"http": "http.test", "vhost": "vhost.all.route.0"}[scope]
    return tuple(found[f"{prefix}.{name}"] for name in names)


def test_a_session_of_its_own_on_a_websocket(worlds):
    world = worlds(1)
    number, client, peer = receive(world, handshake(WEBSOCKET))
    peer.send(switching())
    client.head()
    names = ("sid_opened_websocket", "sid_opening_active", "ws_active", "sid_upgrade_tried")
    assert values(world, number, *names) == (1, 0, 1, 0)
    assert total(world, "vhost", "sid_opened_websocket") == (1,)


def test_an_upgrade_that_is_refused_was_tried(worlds):
    world = worlds(1)
    _, peer = learn(world, "abc")
    client = world.client().send(handshake(WEBSOCKET + "&sid=abc"))
    peer.head()
    peer.send(ok())
    client.response()
    assert values(world, 0, "sid_upgrade_tried", "sid_upgrade_done", "ws_total") == (1, 0, 0)


def test_bytes_of_a_host(worlds):
    world = worlds(1)
    client = world.client().send(get("/", "content-length: 6", method="POST") + b"abc")
    peer = world.nodes[0].accept()
    head = peer.head()
    client.send(b"def")
    peer.take(6)
    answer = ok(b"x" * 1000)
    peer.send(answer)
    client.response()
    assert values(world, 0, "cx_tx_bytes_total", "cx_rx_bytes_total") == (len(head) + 6, len(answer))


def test_bytes_of_a_tunnel_are_counted_as_they_come(worlds):
    world = worlds(1)
    _, client, peer = receive(world, handshake("/"))
    peer.send(switching())
    client.head()
    before = values(world, 0, "cx_tx_bytes_total", "cx_rx_bytes_total")
    client.send(b"12345")
    peer.take(5)
    peer.send(b"123")
    client.take(3)
    after = values(world, 0, "cx_tx_bytes_total", "cx_rx_bytes_total")
    assert (after[0] - before[0], after[1] - before[1]) == (5, 3)


def test_a_route_with_a_name(worlds):
    routes = (
        Route(RouteMatch(prefix="/socket.io/"), "backend", allow_websocket=True, name="chat"),
        Route(RouteMatch(prefix="/"), "backend", affinity=SessionAffinity(protocols=())),
    )
    world = worlds(1, routes=routes)
    learn(world, "abc")
    found = world.statistics()
    assert found["vhost.all.route.chat.sid_learned"] == 1
    assert not any(name.startswith("vhost.all.route.1.") for name in found)


@pytest.fixture
def logged(worlds, tmp_path: Path):
    """`logged(nodes, **settings)`: a world, and a function for the lines that it has logged."""
    path = tmp_path / "access.log"
    log = AccessLog(str(path), "%REQ(:PATH)% %FASTPROXY_AFFINITY% %RESPONSE_CODE%\n")

    def make(nodes: int, **settings) -> World:
        manager = {"access_logs": (log,)} | settings.pop("manager", {})
        return worlds(nodes, manager=manager, **settings)

    def lines(world: World) -> list[str]:
        world.engine.flush_logs()
        return path.read_text().splitlines()

    return make, lines


def test_the_access_log_says_why_a_request_went_there(logged):
    make, lines = logged
    world = make(2)
    _, peer = learn(world, "abc")
    client = world.client().send(get(POLL + "&sid=abc"))
    peer.head()
    peer.send(ok())
    client.response()
    client.send(handshake(WEBSOCKET + "&sid=abc"))
    peer.head()
    peer.send(switching())
    client.head()
    client.close()
    peer.close()
    world.until(lambda: world.engine.tunnels == 0)
    _, client, peer = receive(world, get("/x"))
    peer.send(ok())
    client.response()
    client = world.client().send(b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n")
    client.head()
    assert lines(world) == [
        f"{POLL} least 200",
        f"{POLL}&sid=abc sid 200",
        f"{WEBSOCKET}&sid=abc sid 101",
        "/x random 200",
        "- - 400",
    ]


def test_the_access_log_tells_a_hash(logged):
    make, lines = logged
    policies = (HeaderHashPolicy("x"),)
    world = make(2, cluster={"lb_policy": LbPolicy.RING_HASH}, route={"hash_policies": policies})
    _, client, peer = receive(world, get("/", "x: 1"))
    peer.send(ok())
    client.response()
    assert lines(world) == ["/ hash 200"]
