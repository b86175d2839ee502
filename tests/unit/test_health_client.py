"""The client of health checks: what it sends, what it takes, what it refuses, when it connects anew."""

import pytest

from fastproxy.health.client import MAX_ANSWER_BYTES, BadAnswer, Connection, reason
from fastproxy.model import Address
from tests.unit.probed_nodes import answering, ok, with_node

FIELDS = [("host", "a")]


def asked(*answers, times=1, method="GET", body=b""):
    """The last answer to so many requests, and the node that gave it."""

    async def work(node):
        connection = Connection(node.address)
        try:
            for _ in range(times):
                answer = await connection.ask(method, "/", FIELDS, body)
        finally:
            connection.close()
        return answer, node

    return with_node(answering(*answers), work)


def test_a_request():
    _, node = asked(ok())
    assert node.requests == [b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"]


def test_a_request_with_a_body():
    _, node = asked(ok(), method="POST", body=b"abc")
    assert node.requests == [b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (ok(b"abc"), b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"abc"), b"abc"),
        (
            b"HTTP/1.1 200\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nt: 1\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_answers_that_keep_their_connection(answer, body):
    found, node = asked(answer, times=3)
    assert (found.body, node.connections, len(node.requests)) == (body, 1, 3)


@pytest.mark.parametrize(
    "answer", [ok(more=b"Connection: foo, Close\r\n"), b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"]
)
def test_answers_that_do_not(answer):
    _, node = asked(answer, times=3)
    assert node.connections == 3


def test_no_body_behind_head():
    found, node = asked(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", times=2, method="HEAD")
    assert (found.body, node.connections) == (b"", 1)


def test_more_than_the_limit_is_not_read():
    found, node = asked(ok(bytes(MAX_ANSWER_BYTES + 1)), times=2)
    assert (len(found.body), node.connections) == (MAX_ANSWER_BYTES, 2)
    chunks = b"".join(b"8000\r\n" + bytes(0x8000) + b"\r\n" for _ in range(3))
    found, node = asked(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks, times=2)
    assert (len(found.body), node.connections) == (MAX_ANSWER_BYTES, 2)


def test_a_kept_connection_that_the_host_has_closed_is_no_failure():
    found, node = asked(ok(b"1"), b"", ok(b"2"), times=2)
    assert (found.body, node.connections, len(node.requests)) == (b"2", 2, 3)


def test_a_new_connection_that_is_closed_is_one():
    with pytest.raises(EOFError):
        asked(b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 099 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1e3\r\n\r\n",
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: " + b"1" * 5000 + b"\r\n\r\n", id="a long length"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\na: " + bytes(MAX_ANSWER_BYTES * 2),
    ],
)
def test_what_is_no_answer(answer):
    with pytest.raises(BadAnswer):
        asked(answer)


def test_reasons():
    assert reason(ConnectionRefusedError(111, "Connect call failed")) == "Connection refused"
    assert reason(EOFError()) == "the connection was closed"
    assert reason(BadAnswer("x")) == "x"


def test_a_unix_socket_that_is_not_there():
    async def work(node):
        await Connection(Address("", 0, "@nobody listens here")).ask("GET", "/", FIELDS)

    with pytest.raises(ConnectionRefusedError):
        with_node(answering(ok()), work)
