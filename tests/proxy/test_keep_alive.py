"""Connections with clients: how long they live and who ends them."""

import pytest

from tests.support.proxies import World

REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_many_requests_on_one_connection(world: World, how: str) -> None:
    client = world.client()
    client.send_cut(REQUEST, how)
    node = world.node.accept()
    for number in range(5):
        assert node.read_request().head.target == b"/"
        node.send_cut(OK, how)
        assert client.read_response().body == b"ok"
        if number < 4:
            client.send_cut(REQUEST, how)


@pytest.mark.parametrize(
    "header",
    [b"connection: close", b"Connection: Close", b"connection: keep-alive, close", b"proxy-connection: close"],
)
def test_client_asks_to_close(world: World, header: bytes) -> None:
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n" + header + b"\r\n\r\n"
    node = world.node.accept()
    head = node.read_request().head
    assert not head.all(b"connection")
    assert not head.all(b"proxy-connection")
    node << OK
    response = client.read_response()
    assert (response.body, response.head.get(b"connection")) == (b"ok", b"close")
    client.assert_fin()


def test_request_behind_a_close_is_not_answered(world: World) -> None:
    client = (
        world.client() << b"GET /1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n"
    )
    node = world.node.accept()
    assert node.read_request().head.target == b"/1"
    node << OK
    assert client.read_response().body == b"ok"
    client.assert_ended()
    assert not node.readable() or node.read_to_end() == b""
    world.node.assert_untouched()


def test_proxy_connection_keep_alive_keeps_the_connection(world: World) -> None:
    client = world.client()
    for _ in range(2):
        client << b"GET / HTTP/1.1\r\nhost: a\r\nproxy-connection: keep-alive\r\n\r\n"
        node = world.node.accept()
        assert not node.read_request().head.all(b"proxy-connection")
        node << OK.replace(b"content-length", b"connection: close\r\ncontent-length")
        assert client.read_response().head.get(b"connection") is None


def test_client_that_comes_and_goes_reaches_no_node(world: World) -> None:
    world.client().close()
    client = world.client()
    client.half_close()
    client.assert_ended()
    world.node.assert_untouched()


def test_client_that_leaves_ends_its_request(world: World) -> None:
    client = world.client() << REQUEST
    node = world.node.accept()
    node.read_request()
    client.close()
    node.assert_ended()


def test_client_that_resets_ends_its_request(world: World) -> None:
    client = world.client() << REQUEST
    node = world.node.accept()
    node.read_request()
    client.reset()
    node.assert_ended()


def test_blank_lines_before_a_request(world: World) -> None:
    client = world.client() << b"\r\n\r\n" + REQUEST
    world.node.accept() << OK
    assert client.read_response().body == b"ok"
