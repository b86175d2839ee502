"""How exchanges end: answered by the proxy, cut, left by the client; and how connections are closed."""

import pytest

from tests.unit.engine_world import get, ok

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def test_a_request_without_a_route(worlds):
    """The connection lives on, and what is pipelined behind is answered as well."""
    world = worlds(domains=("known.example",))
    client = world.client().send(get("/1") + get("/2").replace(b"example.com", b"known.example") + get("/3"))
    assert client.response() == (404, b"")
    node = world.nodes[0].accept()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert client.response() == (404, b"")
    assert world.count("no_route") == 2


def test_a_local_reply_to_an_unread_body_closes_gently(worlds):
    world = worlds(domains=("known.example",))
    client = world.client().send(get("/", "content-length: 1000000", method="POST"))
    assert client.head().startswith(b"HTTP/1.1 404 ")
    client.send(b"x" * 1_000_000)
    client.end()
    assert not client.was_reset


def test_a_local_reply_to_head_has_no_body(worlds):
    world = worlds(0)
    client = world.client().send(get(method="HEAD") + get())
    assert client.head().startswith(b"HTTP/1.1 503 ")
    assert client.response() == (503, b"no healthy upstream")


def test_a_client_that_asks_to_close(world):
    client, node = world.ask(get("/", "connection: close"))
    node.head()
    node.send(ok())
    head = client.head()
    assert b"\r\nconnection: close\r\n" in head
    assert client.end() == b"hello"


def test_an_answer_that_closes_reaches_a_client_that_has_sent_more(world):
    """Closing on bytes that were not read would reset the connection, and the answer's rest be lost."""
    body = b"x" * 4_000_000
    client, node = world.ask(get("/", "connection: close"))
    node.head()
    client.send(get("/too-late"))
    node.send(ok(body))
    client.head()
    assert client.end() == body
    assert not client.was_reset


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("begun", [False, True])
def test_a_client_that_leaves(world, reset, begun):
    client, node = world.ask(get())
    node.head()
    if begun:
        node.send(CHUNKED + b"2\r\nab\r\n")
        client.head()
        client.take(7)
    client.close(reset=reset)
    node.end()
    assert world.engine.exchanges == 0
    assert world.count("downstream_rq_rx_reset") == 1


def test_a_client_that_leaves_within_its_head(world):
    client = world.client().send(get()[:20])
    world.settle()
    client.close()
    world.until(lambda: world.engine.active == 1)
    assert world.count("downstream_rq_total") == 0


def test_a_client_that_leaves_within_its_body(world):
    client, node = world.ask(get("/", "content-length: 100", method="POST"))
    client.send(b"x" * 10)
    node.head()
    assert node.take(10) == b"x" * 10
    client.close()
    assert node.end() == b""


def test_an_answer_that_is_not_complete_is_no_answer_to_http_10(worlds):
    """Its end is the connection's end, so only a reset tells that something is missing."""
    world = worlds(manager={"accept_http_10": True})
    client = world.client().send(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n")
    node = world.nodes[0].accept()
    node.head()
    node.send(CHUNKED + b"2\r\nab\r\n")
    client.head()
    client.take(2)
    node.close()
    client.end()
    assert client.was_reset


def test_counters_of_answers(worlds):
    world = worlds()
    client = world.client().send(get() * 4)
    node = world.nodes[0].accept()
    for status in (b"200 OK", b"302 Found", b"404 Not Found", b"500 Oops"):
        node.head()
        node.send(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
        client.response()
    assert [world.count(f"downstream_rq_{kind}xx") for kind in range(1, 6)] == [0, 1, 1, 1, 1]
    assert [world.count(f"upstream_rq_{kind}xx") for kind in range(1, 6)] == [0, 1, 1, 1, 1]
    assert world.count("downstream_rq_completed") == world.count("upstream_rq_completed") == 4
    assert (world.host(0)["rq_success"], world.host(0)["rq_error"]) == (3, 1)
