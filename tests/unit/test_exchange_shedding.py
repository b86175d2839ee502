"""What is refused and given up under pressure, and what is not."""

import pytest

from fastproxy.model import OverloadAction
from fastproxy.overload import Overload
from tests.unit.engine_world import field, get, handshake, ok, switching

POLL = "/socket.io/?EIO=4&transport=polling"
OPEN = b'0{"sid":"abc","pingInterval":25000,"pingTimeout":20000}'
BODY = b"envoy overloaded"


def test_requests_are_refused_on_connections_that_stay(world):
    world.act(OverloadAction.STOP_ACCEPTING_REQUESTS)
    client = world.client()
    for _ in range(2):
        assert client.send(get()).response() == (503, BODY)
    assert world.count("downstream_rq_overload_close") == 2
    world.act(OverloadAction.STOP_ACCEPTING_REQUESTS, 0)
    client.send(get())
    node = world.nodes[0].accept()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_connections_end_with_their_responses(world):
    world.act(OverloadAction.DISABLE_HTTP_KEEPALIVE)
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    head = client.head()
    assert field(head, b"connection") == b"close"
    assert client.end() == b"hello"
    assert world.count("downstream_cx_overload_disable_keepalive") == 1


@pytest.fixture
def session(world):
    """A client of session abc, and the connection to the node that issued it."""
    client, node = world.ask(get(POLL))
    node.head()
    node.send(ok(OPEN))
    assert client.response() == (200, OPEN)
    return client, node


@pytest.mark.parametrize("request_", [get(POLL), handshake("/socket.io/?EIO=4&transport=websocket"), handshake("/ws")])
def test_new_sessions_are_refused(world, request_):
    world.act(OverloadAction.REFUSE_NEW_SESSIONS)
    client = world.client().send(request_)
    head = client.head()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert field(head, b"retry-after") == b"5"
    assert client.take(len(BODY)) == BODY
    assert world.count("downstream_rq_overload_new_session") == 1
    assert not world.nodes[0].is_asked()


def test_sessions_that_stand_go_on(world, session):
    world.act(OverloadAction.REFUSE_NEW_SESSIONS)
    client, node = session
    client.send(get(f"{POLL}&sid=abc"))
    node.head()
    node.send(ok(b"6"))
    assert client.response() == (200, b"6")
    client.send(handshake("/socket.io/?EIO=4&transport=websocket&sid=abc"))
    node.head()
    node.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101 ")


def test_plain_requests_go_on_while_sessions_are_refused(world):
    world.act(OverloadAction.REFUSE_NEW_SESSIONS)
    client, node = world.ask(get("/page"))
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_only_a_share_of_the_sessions_is_refused(world):
    world.act(OverloadAction.REFUSE_NEW_SESSIONS, 50)
    refused = 0
    for _ in range(200):
        client = world.client().send(handshake("/ws"))
        world.until(lambda client=client: (client.read() is None and bool(client.got)) or world.nodes[0].is_asked())
        refused += bool(client.got)
        if not client.got:
            world.nodes[0].accept()
    assert 50 < refused < 150


def test_new_sessions_are_refused_when_descriptors_are_scarce(worlds):
    world = worlds(max_fds=Overload(max_fds=1000).other_fds + 40)
    client, node = world.ask(get(POLL))
    node.head()
    node.send(ok(OPEN, "connection: close"))
    assert client.response() == (200, OPEN)
    while world.engine.active < world.engine.overload.scarce_at:
        world.ask(get("/busy"))
    assert world.client().send(get(POLL)).response() == (503, BODY)
    client.send(get(f"{POLL}&sid=abc"))
    node = world.nodes[0].accept()
    node.head()
    node.send(ok(b"6"))
    assert client.response() == (200, b"6")


def test_a_head_that_comes_slowly_is_given_up(worlds):
    world = worlds(max_fds=Overload(max_fds=1000).other_fds + 60)
    slow = [world.client().send(b"GET / HTTP/1.1\r\n") for _ in range(10)]
    world.until(lambda: world.engine.active == 11)
    while world.engine.active < world.engine.overload.scarce_at:
        world.ask(get("/busy"))
    world.client()
    world.settle()
    assert not any(peer.read() is None and peer.ended for peer in slow)

    def comes_late():
        world.client()
        world.settle()
        return any(peer.read() is None and peer.ended for peer in slow)

    world.until(comes_late)
