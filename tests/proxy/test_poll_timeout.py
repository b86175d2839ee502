"""A long poll outlives a route timeout that nobody set: Envoy's default of 15 s would end every idle one."""

import pytest

from tests.support.proxies import World, Worlds, departures

POLL = b"GET /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nhost: a\r\n\r\n"
PING = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n2"
CUT = b"upstream request timeout"


@pytest.mark.departure("Envoy ends both")
def test_default_timeout_ends_a_page_and_no_poll(world: World) -> None:
    """The only test as long as the default: the poll began first, and is there when the page has been given up."""
    poller = world.client() << POLL
    held = world.node.accept()
    held.read_request()
    reader = world.client() << b"GET /page HTTP/1.1\r\nhost: a\r\n\r\n"
    world.node.accept().read_request()
    reader.socket.settimeout(30)
    given_up = reader.read_response()
    assert (given_up.status, given_up.body) == (504, CUT)
    held << PING
    response = poller.read_response()
    assert (response.status, response.body) == (200, b"2")


def test_timeout_that_was_set_ends_a_poll(worlds: Worlds) -> None:
    world = worlds.start(action={"timeout": "1s"})
    client = world.client() << POLL
    node = world.node.accept()
    node.read_request()
    response = client.read_response()
    assert (response.status, response.body) == (504, CUT)


def test_switched_off(worlds: Worlds) -> None:
    """With the departure off the announced default is the one that counts."""
    world = worlds.start(http_filters=departures(polls_outlive_default_timeout=False))
    client = world.client() << POLL
    node = world.node.accept()
    assert node.read_request().head.get(b"x-envoy-expected-rq-timeout-ms") == b"15000"
    node << PING
    assert client.read_response().body == b"2"
