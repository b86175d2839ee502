"""The upstream's half: every framing of an answer, interim heads, garbage, and answers that stop short."""

import pytest

from tests.unit.engine_world import World, field, get, ok

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def cut_off(world: World, answer: bytes) -> bytes:
    """What the client has in the end when the node says `answer` and closes."""
    client, node = world.ask(get())
    node.head()
    node.send(answer)
    node.close()
    return client.end()


def test_chunks_pass_as_they_come(world):
    client, node = world.ask(get())
    node.head()
    node.send(CHUNKED)
    assert field(client.head(), b"transfer-encoding") == b"chunked"
    for part in (b"event: 1", b"x" * 1000):
        node.send(b"%x\r\n%s\r\n" % (len(part), part))
        expected = b"%x\r\n%s\r\n" % (len(part), part)
        assert client.take(len(expected)) == expected
    node.send(b"0\r\n\r\n")
    assert client.take(5) == b"0\r\n\r\n"
    client.send(get("/next"))
    assert node.head().startswith(b"GET /next ")
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_an_answer_until_the_end_becomes_chunked(world):
    client, node = world.ask(get())
    node.head()
    node.send(b"HTTP/1.0 200 OK\r\n\r\nab")
    assert field(client.head(), b"transfer-encoding") == b"chunked"
    assert client.take(7) == b"2\r\nab\r\n"
    node.close()
    assert client.take(5) == b"0\r\n\r\n"
    client.send(get())
    again = world.nodes[0].accept()
    again.head()
    again.send(ok())
    assert client.response() == (200, b"hello")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body(world, status):
    client, node = world.ask(get())
    node.head()
    node.send(f"HTTP/1.1 {status}\r\ncontent-length: 7\r\n\r\n".encode())
    assert client.head().startswith(f"HTTP/1.1 {status}".encode())
    client.send(get("/next"))
    assert node.head().startswith(b"GET /next ")
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_an_answer_to_head_has_no_body(world):
    client, node = world.ask(get(method="HEAD"))
    node.head()
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    assert field(client.head(), b"content-length") == b"1000"
    client.send(get("/next"))
    assert node.head().startswith(b"GET /next ")
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_interim_heads_are_passed_over(world):
    client, node = world.ask(get())
    node.head()
    node.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n")
    world.settle()
    node.send(b"HTTP/1.1 102 x\r\n\r\n" + ok())
    assert client.response() == (200, b"hello")


def test_garbage_within_the_body_cuts_the_answer(world):
    client, node = world.ask(get())
    node.head()
    node.send(CHUNKED + b"2\r\nab\r\n")
    client.head()
    node.send(b"zz\r\n")
    assert client.end() == b"2\r\nab\r\n"


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", b"ab"),
        (CHUNKED + b"2\r\nab\r\n", b"2\r\nab\r\n"),
        (CHUNKED + b"5\r\nab", b"2\r\nab\r\n"),
    ],
)
def test_an_answer_that_stops_short_is_cut_for_the_client_too(world, answer, got):
    assert cut_off(world, answer).partition(b"\r\n\r\n")[2] == got


def test_more_than_was_announced_ends_the_connection(world):
    """What comes behind an answer belongs to no request."""
    client, node = world.ask(get())
    node.head()
    node.send(ok() + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged")
    assert client.response() == (200, b"hello")
    node.end()
    client.send(get())
    again = world.nodes[0].accept()
    again.head()
    again.send(ok(b"true"))
    assert client.response() == (200, b"true")


def test_bytes_on_an_idle_connection_end_it(world):
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    node.end()
    assert world.engine.active == 2


def test_an_answer_before_the_request_is_complete(world):
    client, node = world.ask(get("/", "content-length: 100", method="POST"))
    node.head()
    node.send(ok(b"early"))
    assert client.response() == (200, b"early")
    client.end()
    node.end()
