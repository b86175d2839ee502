"""What a connection manager's limits do to connections and exchanges, when they are reached and before."""

import pytest

from tests.support.punctual import punctual, within
from tests.unit.engine_world import fill, get, handshake, ok, read_slowly, small_buffer, switching


def answered(client, node, request=None):
    """The head of the answer to one request that the node answers at once."""
    if request is not None:
        client.send(request)
    node.head()
    node.send(ok())
    head = client.head()
    assert client.take(5) == b"hello"
    return head


def test_a_connection_that_never_carried_a_request_has_no_drain(worlds):
    world = worlds(manager={"idle_timeout_s": 0.05, "drain_timeout_s": 3600})
    assert world.client().end() == b""
    assert world.count("downstream_cx_idle_timeout") == 1


def test_a_request_during_the_drain_is_answered_and_the_last(worlds):
    world = worlds(manager={"idle_timeout_s": 0.05, "drain_timeout_s": 3600})
    client, node = world.ask(get())
    assert b"connection: close" not in answered(client, node)
    world.until(lambda: world.count("downstream_cx_idle_timeout") == 1)
    assert b"\r\nconnection: close\r\n" in answered(client, node, get())
    assert client.end() == b""


def test_the_end_of_a_drain_closes(worlds):
    world = worlds(manager={"idle_timeout_s": 0.05, "drain_timeout_s": 0.05})
    client, node = world.ask(get())
    answered(client, node)
    assert client.end() == b""
    assert world.count("downstream_cx_idle_timeout") == 1


def test_without_a_drain_timeout_an_idle_connection_closes(worlds):
    world = worlds(manager={"idle_timeout_s": 0.05, "drain_timeout_s": 0.0})
    client, node = world.ask(get())
    answered(client, node)
    assert client.end() == b""


def test_a_connection_that_lasted_long_enough_closes_with_its_response(worlds):
    world = worlds(manager={"max_connection_duration_s": 0.05, "drain_timeout_s": 3600})
    client, node = world.ask(get())
    world.until(lambda: world.client().end() == b"")  # one of the same age has closed by now
    assert b"\r\nconnection: close\r\n" in answered(client, node)
    assert client.end() == b""


def test_an_idle_connection_that_lasted_long_enough_drains(worlds):
    world = worlds(manager={"max_connection_duration_s": 0.05, "drain_timeout_s": 0.05})
    client, node = world.ask(get())
    answered(client, node)
    assert client.end() == b""
    assert world.count("downstream_cx_max_duration_reached") == 1
    assert world.count("downstream_cx_idle_timeout") == 0


def test_a_tunnel_outlasts_its_connection(worlds):
    world = worlds(manager={"max_connection_duration_s": 0.05, "drain_timeout_s": 0.0})
    client, node = world.ask(handshake())
    node.head()
    node.send(switching())
    client.head()
    assert world.client().end() == b""
    node.send(b"still here")
    assert client.take(10) == b"still here"


@pytest.mark.parametrize(
    ("request_head", "status"), [(get(), 504), (get("/", "content-length: 10", method="POST"), 408)]
)
def test_an_exchange_that_takes_too_long(worlds, request_head, status):
    world = worlds(manager={"max_stream_duration_s": 0.1})
    client, node = world.ask(request_head)
    node.head()
    assert client.response() == (status, b"downstream duration timeout")
    node.end()
    assert world.count("downstream_rq_max_duration_reached") == 1


def test_bytes_do_not_move_the_end_of_an_exchange(worlds):
    world = worlds(manager={"max_stream_duration_s": 0.1})
    client, node = world.ask(get())
    node.head()
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    client.head()
    while not client.ended:
        if len(client.got) < 900 and world.gauges():
            node.sock.send(b"x")
        world.settle()
        client.read()
    assert len(client.got) < 1000
    assert world.count("downstream_rq_max_duration_reached") == 1


def test_a_head_that_takes_longer_than_an_exchange_may(worlds):
    world = worlds(manager={"max_stream_duration_s": 0.1})
    assert world.client().send(b"G").response() == (408, b"downstream duration timeout")


@punctual
def test_the_head_is_part_of_the_exchange(worlds):
    """The clock starts with the first byte: what is left for the answer is little."""
    world = worlds(manager={"max_stream_duration_s": 0.2, "stream_idle_timeout_s": None})
    with within(0.2):
        client = world.client().send(get()[:-2])
        world.settle()
        late = world.client().send(get()[:-2])
        world.settle()
        client.send(b"\r\n")
        world.nodes[0].accept().head()
    assert client.response() == (504, b"downstream duration timeout")
    assert late.response()[0] == 408


@punctual
def test_a_tunnel_that_lasts_too_long(worlds):
    world = worlds(manager={"max_stream_duration_s": 0.2})
    with within(0.2):
        client, node = world.ask(handshake())
        node.head()
        node.send(switching())
        client.head()
        client.send(b"x")
    assert node.end() == b"x"
    client.end()
    assert world.count("downstream_rq_max_duration_reached") == 1


def test_the_last_request_of_a_connection(worlds):
    world = worlds(manager={"max_requests_per_connection": 2})
    client, node = world.ask(get())
    assert b"connection: close" not in answered(client, node)
    assert b"\r\nconnection: close\r\n" in answered(client, node, get() + get())
    assert client.end() == b""
    assert world.count("downstream_cx_max_requests_reached") == 1


HUGE = 1 << 30


@punctual
def test_a_slow_reader_of_an_answer_has_the_time_it_needs(worlds):
    """Nothing comes from the node, and nothing is read of it; as long as the client takes bytes, that is no silence."""
    world = worlds(manager={"stream_idle_timeout_s": 0.2})
    client, node = world.ask(get())
    small_buffer(client)
    node.head()
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % HUGE)
    client.head()
    data = fill(node)
    read_slowly(client, len(data), timer_s=0.2)
    node.send(b"that is all")
    assert client.take(len(data) + 11) == data + b"that is all"
    client.end()
    assert world.count("downstream_rq_idle_timeout") == 1


@punctual
def test_a_slow_reader_of_a_request_has_the_time_it_needs(worlds):
    world = worlds(manager={"stream_idle_timeout_s": 0.2})
    client, node = world.ask(get("/", f"content-length: {HUGE}", method="POST"))
    small_buffer(node)
    node.head()
    data = fill(client)
    read_slowly(node, len(data), timer_s=0.2)
    client.send(b"that is all")
    assert node.take(len(data) + 11) == data + b"that is all"
    assert client.response()[0] == 408
    assert world.count("downstream_rq_idle_timeout") == 1


def test_a_reader_that_takes_nothing_is_given_up(worlds):
    world = worlds(manager={"stream_idle_timeout_s": 0.1, "delayed_close_timeout_s": 0.01})
    _client, node = world.ask(get())
    node.head()
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % HUGE)
    fill(node)
    world.until(lambda: world.engine.exchanges == 0)
    assert world.count("downstream_rq_idle_timeout") == 1
    world.until(lambda: world.count("downstream_cx_active") == 0)
    assert world.count("downstream_cx_delayed_close_timeout") == 1


@punctual
def test_a_slow_reader_of_an_answer_that_closes_has_the_time_it_needs(worlds):
    """Also one that still sends, which a connection that is closed too early would answer with a reset."""
    world = worlds(manager={"delayed_close_timeout_s": 0.02})
    client, node = world.ask(get("/", "connection: close"))
    small_buffer(client)
    body = bytes(range(256)) * 8000
    node.head()
    node.send(ok(body))
    client.head()
    world.until(lambda: world.engine.exchanges == 0)
    while not client.ended:
        with within(0.2):  # ten times delayed_close_timeout
            client.send(b"x")
            read_slowly(client, len(body) // 40, pieces=1)
    assert client.got == body
    assert not client.was_reset
    assert world.count("downstream_cx_delayed_close_timeout") == 0


def test_without_delayed_close_the_connection_closes_behind_the_response(worlds):
    """The client does not end its side, and the proxy does not wait for it."""
    world = worlds(manager={"delayed_close_timeout_s": 0.0})
    client, node = world.ask(get("/", "connection: close"))
    answered(client, node)
    assert client.end() == b""
    world.until(lambda: world.count("downstream_cx_active") == 0)
