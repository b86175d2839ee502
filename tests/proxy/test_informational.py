"""1xx: the proxy answers `Expect: 100-continue` itself and drops what nodes send before the response."""

import pytest

from tests.support.proxies import World

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
EXPECTING = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nExpect: 100-Continue\r\n\r\n"


def test_expect_is_answered_before_the_body_is_sent(world: World, how: str) -> None:
    client = world.client().send_cut(EXPECTING, how)
    client >> b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send_cut(b"hello", how)
    node = world.node.accept()
    request = node.read_request()
    assert request.body == b"hello"
    assert not request.head.all(b"expect")
    node << OK
    assert client.read_response().body == b"ok"


def test_expect_with_the_body_already_there(world: World) -> None:
    client = world.client() << EXPECTING + b"hello"
    client >> b"HTTP/1.1 100 Continue\r\n\r\n"
    node = world.node.accept()
    assert node.read_request().body == b"hello"
    node << OK
    assert client.read_response().body == b"ok"


def test_expect_something_else_is_passed_on(world: World) -> None:
    client = world.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: something\r\n\r\nhello"
    node = world.node.accept()
    assert node.read_request().head.get(b"expect") == b"something"
    node << OK
    assert client.read_response().body == b"ok"


@pytest.mark.parametrize(
    "informational",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n",
    ],
)
def test_informational_from_a_node_is_dropped(world: World, how: str, informational: bytes) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = world.node.accept()
    node.read_request()
    node.send_cut(informational + OK, how)
    response = client.read_response()
    assert (response.status, response.body, response.head.all(b"link")) == (200, b"ok", [])


def test_node_that_continues_an_expectation(world: World) -> None:
    """The node's own 100 is not passed on: the client has had one."""
    client = world.client() << EXPECTING
    client >> b"HTTP/1.1 100 Continue\r\n\r\n"
    node = world.node.accept()
    node.read_head()
    node << b"HTTP/1.1 100 Continue\r\n\r\n"
    client << b"hello"
    assert node.read_exactly(5) == b"hello"
    node << OK
    assert client.read_response().status == 200
