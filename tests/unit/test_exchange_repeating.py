"""A node closes a connection that was kept for it while the next request is on its way."""

import pytest

from tests.unit.engine_world import Peer, World, cross, get, handshake, ok, switching

TERMINATION = (
    503, b"upstream connect error or disconnect/reset before headers. reset reason: connection termination"
)  # fmt: skip
SID = "abcdefghij0123456789"
OPENING = "/engine.io/?EIO=4&transport=polling"
POLL = f"{OPENING}&sid={SID}"
OPEN = b'0{"sid":"%s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}' % SID.encode()
POST = get("/post", "content-length: 3", method="POST") + b"abc"


def kept(world: World, request: bytes = get(), body: bytes = b"hello") -> tuple[Peer, Peer]:
    """A client that was answered, and the node's end of the connection that is kept for the next request."""
    client, node = world.ask(request)
    node.head()
    node.send(ok(body))
    assert client.response() == (200, body)
    world.settle()
    return client, node


def answer_again(world: World, client: Peer, body: bytes = b"again") -> bytes:
    """Answer on the new connection; the head of the request there."""
    node = world.nodes[0].accept()
    head = node.head()
    node.send(ok(body))
    assert client.response() == (200, body)
    assert world.count("upstream_rq_retry_reused_cx") == 1
    assert world.count("upstream_rq_retry") == 0
    return head


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_what_the_node_cannot_have_seen_is_sent_again(world, method):
    client, node = kept(world)
    cross(client, node, get("/next", "content-length: 3", method=method) + b"abc")
    peer = world.nodes[0].accept()
    assert peer.head().startswith(f"{method} /next ".encode())
    assert peer.take(3) == b"abc"
    peer.send(ok())
    assert client.response() == (200, b"hello")
    assert world.host(0)["rq_error"] == 1


def test_a_poll_that_the_node_cannot_have_seen_is_sent_again(world):
    client, node = kept(world, get(OPENING), OPEN)
    cross(client, node, get(POLL))
    assert answer_again(world, client).startswith(b"GET /engine.io/")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_method_that_may_come_twice_is_sent_again(world, method):
    client, node = kept(world)
    client.send(get("/next", method=method))
    node.head()
    node.close()
    peer = world.nodes[0].accept()
    assert peer.head().startswith(f"{method} /next ".encode())
    peer.send(ok(b""))
    assert client.response() == (200, b"")


@pytest.mark.parametrize("request_", [POST, get(POLL), get(POLL, "content-length: 1", method="POST") + b"3"])
def test_what_the_node_may_have_done_is_not_sent_again(world, request_):
    client, node = kept(world, get(OPENING), OPEN)
    client.send(request_)
    node.head()
    node.close()
    assert client.response() == TERMINATION
    assert not world.nodes[0].is_asked()
    assert world.count("upstream_rq_retry_reused_cx") == 0


def test_a_reset_leaves_open_what_was_read(world):
    client, node = kept(world)
    client.send(POST)
    world.until(lambda: world.host(0)["rq_total"] == 2)
    node.close(reset=True)
    assert client.response() == TERMINATION


def test_only_once(world):
    client, node = kept(world)
    cross(client, node, get("/next"))
    peer = world.nodes[0].accept()
    peer.head()
    peer.close()
    assert client.response() == TERMINATION


def test_a_new_connection_that_closes_is_no_reason(world):
    client, node = world.ask(get())
    node.head()
    node.close()
    assert client.response() == TERMINATION


def test_other_kept_connections_are_left_alone(world):
    first = world.ask(get())
    second = world.ask(get())
    for client, node in (first, second):
        node.head()
        node.send(ok())
        assert client.response() == (200, b"hello")
    world.settle()
    cross(first[0], second[1], get("/next"))
    answer_again(world, first[0])
    assert world.count("upstream_cx_total") == 3


def test_a_body_that_comes_later_is_sent_again_too(world):
    client, node = kept(world)
    client.send(get("/put", "content-length: 6", method="PUT") + b"abc")
    node.head()
    assert node.take(3) == b"abc"
    client.send(b"de")
    assert node.take(2) == b"de"
    node.close()
    peer = world.nodes[0].accept()
    peer.head()
    client.send(b"f")
    assert peer.take(6) == b"abcdef"
    peer.send(ok())
    assert client.response() == (200, b"hello")


def test_a_request_that_is_large_is_not_kept(world):
    client, node = kept(world)
    client.send(get("/put", "content-length: 5000", method="PUT") + bytes(5000))
    node.head()
    assert node.take(5000) == bytes(5000)
    node.close()
    assert client.response() == TERMINATION


def test_a_large_body_does_not_leave_its_end_behind(world):
    client, node = kept(world)
    client.send(get("/put", "content-length: 5000", method="PUT") + bytes(100))
    node.head()
    client.send(bytes(4800))
    assert node.take(4900) == bytes(4900)
    client.send(bytes(100))
    assert node.take(100) == bytes(100)
    node.close()
    assert client.response() == TERMINATION


def test_not_after_an_interim_answer(world):
    client, node = kept(world)
    client.send(get("/next"))
    node.head()
    node.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    world.settle()
    node.close()
    assert client.response() == TERMINATION


def test_a_handshake(world):
    client, node = kept(world)
    client.send(handshake("/ws"))
    node.head()
    node.close()
    peer = world.nodes[0].accept()
    peer.head()
    peer.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101 ")
    client.send(b"frame")
    assert peer.take(5) == b"frame"


def test_a_handshake_on_a_kept_connection(world):
    """What was kept of it is given back with the tunnel's beginning."""
    client, node = kept(world)
    client.send(handshake("/ws"))
    node.head()
    node.send(switching())
    assert client.head().startswith(b"HTTP/1.1 101 ")
    node.close()
    client.end()


def test_when_the_node_is_gone(world):
    client, node = kept(world)
    world.nodes[0].stop()
    cross(client, node, get("/next"))
    status, body = client.response()
    assert (status, body.endswith(b"remote connection failure")) == (503, True)


def test_the_next_host_takes_it_when_the_node_is_gone(worlds):
    world = worlds(2)
    client, node = kept(world)
    world.nodes[0].stop()
    client.send(get())
    other = world.nodes[1].accept()
    other.head()
    other.send(ok())
    assert client.response() == (200, b"hello")
    world.settle()
    cross(client, node, get("/next"))
    assert other.head().startswith(b"GET /next ")
    other.send(ok())
    assert client.response() == (200, b"hello")
