"""What a client sees of a response's head."""

import email.utils
import re
import time

import pytest

from tests.support.messages import Head
from tests.support.proxies import World, Worlds

ADDED = b"x-envoy-upstream-service-time: 0\r\ndate: Sun, 22 Nov 2026 15:56:30 GMT\r\nserver: envoy\r\n"


def received(world: World, head: bytes, how: str = "whole") -> Head:
    """The head that the client gets for this one, with the body `ok`."""
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.busy_peer()
    node.read_request()
    node.send_cut(head + b"content-length: 2\r\n\r\nok", how)
    response = client.read_response()
    assert response.body == b"ok"
    return response.head


CASES = {
    "names are lower-cased": (b"X-MiXeD-CaSe: V\r\n", b"x-mixed-case: V\r\n"),
    "server is overwritten": (b"Server: nginx/1.0\r\n", b""),
    "repeats are kept, vary is joined": (
        b"set-cookie: a=1\r\nset-cookie: b=2\r\nx-m: 1\r\nx-m: 2\r\nvary: a\r\nvary: b\r\n",
        b"set-cookie: a=1\r\nset-cookie: b=2\r\nx-m: 1\r\nx-m: 2\r\nvary: a,b\r\n",
    ),
    "hop-by-hop headers are dropped, those that Connection names are not": (
        b"connection: x-hop\r\nx-hop: 1\r\nproxy-connection: keep-alive\r\nkeep-alive: 1\r\nte: trailers\r\n"
        b"upgrade: h2c\r\n",
        b"x-hop: 1\r\nte: trailers\r\n",
    ),
    "the node's x-envoy and x-request-id headers pass": (
        b"x-envoy-foo: 1\r\nx-request-id: from-upstream\r\n",
        b"x-envoy-foo: 1\r\nx-request-id: from-upstream\r\n",
    ),
    "bytes beyond ASCII pass": (b"x-u: \xc3\xa9\r\nx-l: \xe9\r\n", b"x-u: \xc3\xa9\r\nx-l: \xe9\r\n"),
    "values are trimmed": (b"x-e:\r\nx-s:    spaced   \r\n", b"x-e: \r\nx-s: spaced\r\n"),
    "underscores pass": (b"x_under: 1\r\n", b"x_under: 1\r\n"),
}


@pytest.mark.parametrize("case", CASES)
def test_passed_on(world: World, case: str) -> None:
    sent, lines = CASES[case]
    wanted = Head.parse(b"HTTP/1.1 200 OK\r\n" + lines + b"content-length: 2\r\n" + ADDED + b"\r\n")
    got = received(world, b"HTTP/1.1 200 OK\r\n" + sent)
    assert got.masked() == wanted.masked(), got


def test_cut_anywhere(world: World, how: str) -> None:
    assert received(world, b"HTTP/1.1 200 OK\r\nX-A: 1\r\nServer: x\r\n", how).get(b"x-a") == b"1"


def test_date_of_the_node_is_kept(world: World) -> None:
    head = received(world, b"HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n")
    assert head.get(b"date") == b"Thu, 01 Jan 1970 00:00:00 GMT"


def test_date_is_now(world: World) -> None:
    before = int(time.time())
    date = received(world, b"HTTP/1.1 200 OK\r\n").get(b"date")
    assert date is not None
    # Envoy and fastproxy both refresh a cached date; a second of age is what its resolution allows.
    assert before - 2 <= email.utils.parsedate_to_datetime(date.decode()).timestamp() <= time.time()


def test_service_time_of_the_node_is_replaced(world: World) -> None:
    head = received(world, b"HTTP/1.1 200 OK\r\nx-envoy-upstream-service-time: 99999\r\n")
    value = head.get(b"x-envoy-upstream-service-time")
    assert value is not None
    assert re.fullmatch(rb"\d{1,4}", value)


@pytest.mark.parametrize(
    ("sent", "phrase"),
    [
        (b"200 Everything Fine", b"200 OK"),
        (b"200 ", b"200 OK"),
        (b"200", b"200 OK"),
        (b"418 x", b"418 Unknown"),
        (b"429 x", b"429 Too Many Requests"),
        (b"451 x", b"451 Unknown"),
        (b"500 x", b"500 Internal Server Error"),
        (b"599 x", b"599 Last Unassigned Server Error Code"),
        (b"600 x", b"600 Unknown"),
        (b"302 Moved", b"302 Found"),
    ],
)
def test_reason_phrase_is_of_the_table(world: World, sent: bytes, phrase: bytes) -> None:
    assert received(world, b"HTTP/1.1 " + sent + b"\r\n").start == b"HTTP/1.1 " + phrase


def test_server_name(worlds: Worlds) -> None:
    world = worlds.start(server_name="mine")
    assert received(world, b"HTTP/1.1 200 OK\r\nserver: nginx\r\n").get(b"server") == b"mine"
    client = world.client() << b"BAD\r\n\r\n"
    assert client.read_response().head.get(b"server") == b"mine"
