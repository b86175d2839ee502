"""Connections to nodes are kept and used again, unless there is a reason not to."""

import pytest

from tests.support.adversary import Peer
from tests.support.processes import wait_until
from tests.support.proxies import World

REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def exchange(world: World, client: Peer, node: Peer | None, answer: bytes = OK) -> Peer:
    """One request over `node`, over a new connection if that is None; returns the connection."""
    client << REQUEST
    peer = node or world.node.accept()
    peer.read_request()
    peer << answer
    assert client.read_response().body == b"ok"
    return peer


def assert_new_connection(world: World, client: Peer, old: Peer) -> None:
    exchange(world, client, None)
    assert not old.readable() or old.read_to_end() == b""


def test_second_request_of_a_client(world: World) -> None:
    client = world.client()
    node = exchange(world, client, None)
    exchange(world, client, node)
    world.node.assert_untouched()


def test_request_of_another_client(world: World) -> None:
    node = exchange(world, world.client(), None)
    exchange(world, world.client(), node)


def test_after_the_client_left(world: World) -> None:
    client = world.client()
    node = exchange(world, client, None)
    client.close()
    exchange(world, world.client(), node)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
    ],
)
def test_reused_after_any_framing(world: World, answer: bytes) -> None:
    client = world.client()
    node = exchange(world, client, None, answer)
    exchange(world, client, node, answer)


def test_concurrent_requests_have_connections_of_their_own(world: World) -> None:
    clients = [world.client() << REQUEST for _ in range(3)]
    nodes = [world.node.accept() for _ in clients]
    for node in nodes:
        node.read_request()
        node << OK
    assert [client.read_response().body for client in clients] == [b"ok"] * 3


def test_closed_by_the_node(world: World) -> None:
    client = world.client()
    node = exchange(world, client, None)
    node.close()
    wait_until(lambda: world.proxy.stats()["cluster.backend.upstream_cx_active"] == 0, "the close is noticed")
    assert_new_connection(world, client, world.client())


@pytest.mark.parametrize("header", [b"connection: close\r\n", b"Connection: Close\r\n", b"proxy-connection: close\r\n"])
def test_node_says_close(world: World, header: bytes) -> None:
    client = world.client()
    node = exchange(world, client, None, OK.replace(b"content-length", header + b"content-length"))
    assert_new_connection(world, client, node)
    node.assert_ended()


@pytest.mark.parametrize("header", [b"keep-alive: timeout=0\r\n", b"Keep-Alive: max=100, TIMEOUT=0\r\n"])
@pytest.mark.departure("Envoy does not read Keep-Alive")
def test_node_says_that_it_closes_at_once(world: World, header: bytes) -> None:
    client = world.client()
    node = exchange(world, client, None, OK.replace(b"content-length", header + b"content-length"))
    assert_new_connection(world, client, node)
    node.assert_ended()


@pytest.mark.parametrize(
    "header", [b"keep-alive: timeout=60\r\n", b"keep-alive: max=0, timeout=\r\n", b"keep-alive: 0\r\n"]
)
def test_node_says_nothing_against_it(world: World, header: bytes) -> None:
    client = world.client()
    answer = OK.replace(b"content-length", header + b"content-length")
    exchange(world, client, exchange(world, client, None, answer), answer)


@pytest.mark.parametrize(
    ("target", "header"),
    [(b"/", b"keep-alive: timeout=1\r\n"), (b"/socket.io/?EIO=4&transport=polling", b"")],
    ids=["stated", "engine-io"],
)
@pytest.mark.departure("Envoy keeps connections until their nodes close them, and loses what it sends just then")
def test_closed_before_the_node_does(world: World, target: bytes, header: bytes) -> None:
    """As the node says, or sooner than any does where a session might be lost."""
    before = world.proxy.stats()["cluster.backend.upstream_cx_idle_timeout"]
    client = world.client() << b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % target
    node = world.node.accept()
    node.read_request()
    node << OK.replace(b"content-length", header + b"content-length")
    assert client.read_response().body == b"ok"
    node.assert_ended()
    assert world.proxy.stats()["cluster.backend.upstream_cx_idle_timeout"] == before + 1


def test_closed_while_the_client_of_an_exchange_left(world: World) -> None:
    """A connection with half a response in it cannot serve anybody else."""
    client = world.client() << REQUEST
    node = world.node.accept()
    node.read_request()
    node << b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
    assert client.read_head().status == 200
    client.close()
    node.assert_ended()
    exchange(world, world.client(), None)


def test_bytes_on_an_idle_connection(world: World) -> None:
    """A node that speaks unasked is not trusted with another request."""
    client = world.client()
    node = exchange(world, client, None)
    node << OK
    wait_until(lambda: world.proxy.stats()["cluster.backend.upstream_cx_active"] == 0, "it is closed")
    assert_new_connection(world, client, node)


def test_request_answered_before_it_was_complete(world: World) -> None:
    """The rest of the body cannot be told from a next request: neither connection is used again."""
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\nhello"
    node = world.node.accept()
    node.read_head()
    node << b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 3\r\n\r\nbig"
    response = client.read_response()
    assert (response.status, response.body) == (413, b"big")
    assert response.head.get(b"connection") == b"close"
    assert client.read_to_end() == b""
    assert node.read_to_end() == b"hello"
    exchange(world, world.client(), None)
