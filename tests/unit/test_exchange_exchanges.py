"""What comes later: timers of either side, the queue, drain, and the end of everything."""

import pytest

from fastproxy.model import Departures
from tests.support.punctual import punctual, within
from tests.unit.engine_world import World, get, ok

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
POLL = get("/socket.io/?EIO=4&transport=polling&sid=x")


def test_an_idle_client_is_closed(worlds):
    world = worlds(manager={"idle_timeout_s": 0.1, "drain_timeout_s": 0.1})
    assert world.client().end() == b""
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert client.end() == b""
    assert world.count("downstream_cx_idle_timeout") == 2


def test_an_idle_connection_to_a_node_is_closed(worlds):
    world = worlds(cluster={"idle_timeout_s": 0.1})
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert node.end() == b""
    assert world.count("upstream_cx_idle_timeout") == 1


@punctual
def test_the_routes_timeout(worlds):
    world = worlds(route={"timeout_s": 0.1})
    client, node = world.ask(get())
    node.head()
    assert client.response() == (504, b"upstream request timeout")
    node.end()
    assert world.host(0)["rq_timeout"] == 1
    with within(0.1):
        client.send(get())
        again = world.nodes[0].accept()
        again.head()
        again.send(ok())
    assert client.response() == (200, b"hello")


@punctual
def test_the_routes_timeout_within_an_answer(worlds):
    world = worlds(route={"timeout_s": 0.1})
    with within(0.1):
        client, node = world.ask(get())
        node.head()
        node.send(CHUNKED + b"2\r\nab\r\n")
    client.head()
    assert client.end() == b"2\r\nab\r\n"


@pytest.mark.parametrize(
    ("is_set", "departures", "ends"),
    [(False, Departures(), False), (True, Departures(), True),
     (False, Departures(polls_outlive_default_timeout=False), True)],
)  # fmt: skip
def test_a_poll_outlives_a_timeout_that_nobody_set(worlds, is_set, departures, ends):
    world = worlds(route={"timeout_s": 0.05, "timeout_is_set": is_set}, manager={"departures": departures})
    client, node = world.ask(POLL)
    head = node.head()
    assert (b"x-envoy-expected-rq-timeout-ms" in head) == ends
    if ends:
        assert client.response() == (504, b"upstream request timeout")
        return
    other = world.client().send(get())  # its timeout of the same length passes meanwhile
    world.nodes[0].accept().head()
    assert other.response() == (504, b"upstream request timeout")
    node.send(ok(b"2"))
    assert client.response() == (200, b"2")


@pytest.mark.parametrize(
    ("request_head", "status"),
    [(get(), 504), (get("/", "content-length: 10", method="POST"), 408)],
)
def test_a_stream_on_which_nothing_moves(worlds, request_head, status):
    world = worlds(manager={"stream_idle_timeout_s": 0.1})
    client, node = world.ask(request_head)
    node.head()
    assert client.response() == (status, b"stream timeout")
    node.end()


def test_a_head_that_takes_too_long(worlds):
    world = worlds(manager={"request_headers_timeout_s": 0.1})
    client = world.client().send(get()[:-2])
    assert client.response() == (408, b"request header timeout")
    client.end()


def paused(world: World, path: str) -> tuple:
    """A client that does not read, and its node, once the engine has stopped reading from that."""
    client = world.client().send(get(path))
    node = world.nodes[0].accept()
    node.head()
    node.send(CHUNKED)
    before = -1
    while before != world.count("upstream_cx_rx_bytes_total"):
        before = world.count("upstream_cx_rx_bytes_total")
        node.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        world.settle()
    return client, node


def test_slow_clients_side_by_side_all_get_their_answers(worlds):
    """They become writable, and a node answers the last of one, in the same batch: nobody falls out of the queue."""
    world = worlds(route={"timeout_s": None})
    pairs = [paused(world, f"/{number}") for number in range(3)]
    for _, node in pairs[1:]:
        node.send(b"0\r\n\r\n")
    world.settle()
    for client, _ in pairs:
        client.read()
    pairs[0][1].send(b"0\r\n\r\n")
    for client, _ in pairs:
        client.until(lambda client=client: client.got.endswith(b"\r\n0\r\n\r\n"))


def test_drain_with_a_head_that_is_not_whole(world):
    """The request that is coming is answered still, and the connection closes with it."""
    client = world.client().send(get()[:-2])
    world.settle()
    world.engine.drain()
    client.send(b"\r\n")
    node = world.nodes[0].accept()
    node.head()
    node.send(ok())
    assert b"\r\nconnection: close\r\n" in client.head()
    assert client.end() == b"hello"
