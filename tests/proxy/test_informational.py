"""1xx: the proxy answers `Expect: 100-continue` itself and drops what nodes send before the response, unless
`proxy_100_continue` is set."""

import pytest

from tests.support.proxies import World, Worlds

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
EXPECTING = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nExpect: 100-Continue\r\n\r\n"


@pytest.fixture(scope="module")
def passing(worlds: Worlds) -> World:
    """The nodes answer expectations themselves."""
    return worlds.start(proxy_100_continue=True, http_protocol_options={"accept_http_10": True})


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


def test_a_node_may_answer_the_expectation(passing: World, how: str) -> None:
    client = passing.client().send_cut(EXPECTING, how)
    node = passing.node.accept()
    assert node.read_head().get(b"expect") == b"100-Continue"
    node.send_cut(b"HTTP/1.1 100 Continue\r\n\r\n", how)
    client >> b"HTTP/1.1 100 Continue\r\n\r\n"
    client << b"hello"
    assert node.read_exactly(5) == b"hello"
    node.send_cut(OK, how)
    assert client.read_response().body == b"ok"


def test_a_node_may_refuse_the_expectation(passing: World) -> None:
    """Nothing but the final answer comes; the body was not sent, so the connection ends."""
    client = passing.client() << EXPECTING
    node = passing.node.accept()
    node.read_head()
    node << b"HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n"
    response = client.read_response()
    assert (response.status, response.head.get(b"connection")) == (417, b"close")
    client.assert_ended()


def test_interim_heads_are_written_anew(passing: World, how: str) -> None:
    client = passing.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = passing.node.accept()
    node.read_request()
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"
    node.send_cut(hints + b"HTTP/1.1 102 Processing\r\n\r\n" + OK, how)
    client >> b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    response = client.read_response()
    assert (response.status, response.body, response.head.get(b"connection")) == (200, b"ok", None)


def test_no_interim_head_goes_to_an_old_client(passing: World) -> None:
    """RFC 9110, section 15.2."""
    client = passing.client() << b"GET / HTTP/1.0\r\nhost: a\r\n\r\n"
    node = passing.node.accept()
    node.read_request()
    node << b"HTTP/1.1 100 Continue\r\n\r\n" + OK
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.0 200 OK", b"ok")
    client.assert_ended()


def test_interim_heads_are_bounded(passing: World) -> None:
    """A node that says nothing else is not listened to for ever."""
    client = passing.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    node = passing.node.accept()
    node.read_request()
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: <" + b"a" * 1000 + b">\r\n\r\n"
    node << hint * 64
    for _ in range(63):
        client >> hint
    while (status := client.read_head().status) == 103:
        pass
    assert status == 502
    assert node.read_to_end() == b""
