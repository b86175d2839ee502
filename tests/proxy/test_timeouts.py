"""Everything that waits has an end, and says which."""

import contextlib
import socket

import pytest

from tests.support.processes import PATIENCE_S
from tests.support.proxies import World, Worlds
from tests.support.punctual import punctual, within

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.fixture(scope="module")
def impatient(worlds: Worlds) -> World:
    """Every timeout of a connection with a client is short."""
    return worlds.start(
        action={"timeout": "0s"},
        request_headers_timeout="0.3s",
        request_timeout="0.6s",
        stream_idle_timeout="1s",
    )


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\nhost: a\r\n"])
def test_head_that_does_not_end(impatient: World, sent: bytes) -> None:
    client = impatient.client() << sent
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.1 408 Request Timeout", b"request header timeout")
    assert response.head.get(b"connection") == b"close"
    client.assert_ended()
    impatient.node.assert_untouched()


def test_body_that_does_not_end(impatient: World) -> None:
    client = impatient.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhello"
    node = impatient.node.accept()
    assert node.read_head().method == b"POST"
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.1 408 Request Timeout", b"request timeout")
    client.assert_ended()
    assert node.read_to_end() == b"hello"


def test_idle_stream(impatient: World) -> None:
    client = impatient.client() << GET
    node = impatient.node.accept()
    node.read_request()
    response = client.read_response()
    assert (response.head.start, response.body) == (b"HTTP/1.1 504 Gateway Timeout", b"stream timeout")
    node.assert_ended()


@punctual
def test_idle_stream_inside_the_response(impatient: World) -> None:
    with within(1.0):
        client = impatient.client() << GET
        node = impatient.node.accept()
        node.read_request()
        node << b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
    assert client.read_head().status == 200
    assert client.read_to_end() == b"half"
    node.assert_ended()


@punctual
def test_request_in_time(impatient: World, how: str) -> None:
    """The timers of one request do not reach into the next."""
    client = impatient.client()
    for _ in range(3):
        with within(0.3):
            client.send_cut(GET, how)
            node = impatient.node.busy_peer()
            node.read_request()
            node << OK
        assert client.read_response().body == b"ok"


@pytest.fixture(scope="module")
def brief(worlds: Worlds) -> World:
    return worlds.start(action={"timeout": "0.3s"})


class TestRouteTimeout:
    @punctual
    def test_before_the_head(self, brief: World) -> None:
        client = brief.client() << GET
        node = brief.node.accept()
        node.read_request()
        response = client.read_response()
        assert (response.head.start, response.body) == (b"HTTP/1.1 504 Gateway Timeout", b"upstream request timeout")
        assert response.head.get(b"connection") is None
        node.assert_ended()
        with within(0.3):
            client << GET
            node = brief.node.accept()
            node.read_request()
            node << OK
        assert client.read_response().body == b"ok"

    @punctual
    def test_inside_the_body(self, brief: World) -> None:
        with within(0.3):
            client = brief.client() << GET
            node = brief.node.accept()
            node.read_request()
            node << b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
        assert client.read_head().status == 200
        assert client.read_to_end() == b"half"
        node.assert_ended()

    @punctual
    def test_runs_from_the_end_of_the_request(self, brief: World) -> None:
        """A client that is slow with its body is not cut off by the route."""
        client = brief.client() << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n"
        node = brief.node.accept()
        node.read_head()
        client.socket.settimeout(0.15)
        for last in (False, False, False, True):
            with pytest.raises(TimeoutError):  # 0.6 s in all, during which the proxy says nothing
                client.read_exactly(1)
            if not last:
                client << b"x"
        client.socket.settimeout(PATIENCE_S)
        with within(0.3):
            client << b"x"
            assert node.read_exactly(4) == b"xxxx"
            node << OK
        assert client.read_response().body == b"ok"

    def test_bounds_the_wait_for_a_handshake(self, brief: World) -> None:
        client = brief.client() << (
            b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
        )
        brief.node.accept().read_head()
        assert client.read_response().status == 504


@punctual
def test_idle_connection_is_closed(worlds: Worlds) -> None:
    world = worlds.start(common_http_protocol_options={"idle_timeout": "0.3s"}, drain_timeout="0.1s")
    with within(0.3):
        client = world.client() << GET
    node = world.node.accept()
    node.read_request()
    node << OK
    assert client.read_response().body == b"ok"
    client.assert_ended()


def test_connection_without_a_byte_is_closed(worlds: Worlds) -> None:
    world = worlds.start(common_http_protocol_options={"idle_timeout": "0.3s"})
    world.client().assert_ended()


def test_idle_upstream_connection_is_closed(worlds: Worlds) -> None:
    options = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "common_http_protocol_options": {"idle_timeout": "0.3s"},
            "explicit_http_config": {"http_protocol_options": {}},
        }
    }
    world = worlds.start(cluster_fields={"typed_extension_protocol_options": options})
    client = world.client() << GET
    node = world.node.accept()
    node.read_request()
    node << OK
    assert client.read_response().body == b"ok"
    node.assert_ended()
    client << GET
    second = world.node.accept()
    second.read_request()
    second << OK
    assert client.read_response().body == b"ok"


@pytest.mark.parametrize(
    ("head", "idle"),
    [(b"GET / HTTP/1.1\r\nx: ", "5s"), (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 999\r\n\r\n", "0.4s")],
)
@punctual
def test_body_that_trickles(worlds: Worlds, head: bytes, idle: str) -> None:
    """A byte now and then keeps no request alive, whether in its head or in its body."""
    world = worlds.start(request_timeout="0.5s", stream_idle_timeout=idle)
    client = world.client() << head
    client.socket.settimeout(0.05)
    for _ in range(100):
        with within(0.4):
            with contextlib.suppress(TimeoutError):
                assert client.socket.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 408"
                break
            client << b"x"
    assert client.read_response().body == b"request timeout"
