"""Heads of answers: in pieces, and what is none."""

import pytest

from tests.unit.engine_world import get, ok

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def test_an_answer_byte_by_byte(world):
    client, node = world.ask(get())
    node.head()
    for byte in CHUNKED + b"5\r\nhello\r\n0\r\n\r\n":
        node.send(bytes([byte]))
        world.settle()
    client.head()
    client.until(lambda: client.got.endswith(b"0\r\n\r\n"))
    assert b"".join(client.got.split(b"\r\n")[1::2]) == b"hello"


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"\x00" * 10,
        b"HTTP/1.1 200 OK\r\nbad line\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 90_000,
        CHUNKED + b"zz\r\n",
    ],
)
def test_garbage_is_a_502(world, answer):
    client, node = world.ask(get())
    node.head()
    node.send(answer)
    assert client.response()[0] == 502
    node.end()
    client.send(get())
    again = world.nodes[0].accept()
    again.head()
    again.send(ok())
    assert client.response() == (200, b"hello")


@pytest.mark.parametrize(("answer", "status"), [(b"", 503), (b"HTTP/1.1 200 OK\r\nx", 502)])
def test_a_node_that_closes_before_its_head_is_whole(world, answer, status):
    client, node = world.ask(get())
    node.head()
    node.send(answer)
    world.settle()
    node.close()
    assert client.response()[0] == status
