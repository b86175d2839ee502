"""What follows from the answers of hosts that were asked for a session."""

import pytest

from tests.unit.asked_hosts import POLL, UPGRADE, Asked, counters
from tests.unit.engine_world import WEBSOCKET_ACCEPT, get, handshake, ok, switching
from tests.unit.lost_answers import GO, NODE_UPGRADE, PYTHON, UNKNOWN, UNKNOWN_400, answer


def test_the_connection_of_a_host_that_declined_is_kept(worlds):
    world = worlds(2)
    hosts = Asked(world)
    client = world.client().send(get(POLL))
    hosts.next().send(UNKNOWN_400)
    hosts.next().send(ok())
    client.response()
    assert len(hosts.kept) == 2
    for _ in range(2):
        client.send(get("/page"))
        hosts.next().send(ok())
        client.response()
    assert world.count("upstream_cx_total") == 2


@pytest.mark.parametrize(
    "said",
    [
        answer("400 Bad Request", UNKNOWN, "connection: close"),
        b"HTTP/1.1 400 Bad Request\r\n\r\n" + UNKNOWN,
        answer("400 Bad Request", UNKNOWN + b" " * 4096)[:-1000],
        UNKNOWN_400 + b"surplus",
    ],
)
def test_the_connection_is_not_kept_after_every_answer(worlds, said):
    world = worlds(2)
    hosts = Asked(world)
    client = world.client().send(get(POLL))
    peer = hosts.next().send(said)
    if b"content-length" not in said:
        world.settle()
        peer.shut()
    hosts.next().send(ok(b"mine"))
    assert client.response() == (200, b"mine")
    world.until(lambda: world.count("upstream_cx_active") == 1)


@pytest.mark.parametrize(
    "said",
    [
        answer("400 Bad Request", b'{"code":3,"message":"Bad request"}'),
        answer("400 Bad Request", UNKNOWN, "content-encoding: gzip"),
        answer("404 Not Found", UNKNOWN),
        answer("500 Internal Server Error", b"oops"),
    ],
)
def test_another_mistake_is_passed_on_and_teaches_nothing(worlds, said):
    world = worlds(3)
    hosts = Asked(world)
    client = world.client().send(get(POLL))
    hosts.next().send(said)
    assert client.response() == (int(said.split()[1]), said.partition(b"\r\n\r\n")[2])
    assert counters(world) == (1, 1, 0, 0)
    client.send(get(POLL))
    hosts.next().send(ok())
    assert client.response() == (200, b"hello")
    assert counters(world) == (2, 2, 1, 0)


class TestUpgrades:
    @pytest.mark.parametrize("said", [UNKNOWN_400, NODE_UPGRADE, answer("403 Forbidden", b""), PYTHON, GO])
    def test_the_host_that_knows_gets_the_tunnel(self, worlds, said):
        world = worlds(3)
        hosts = Asked(world)
        client = world.client().send(handshake(UPGRADE) + b"early")
        for _ in range(2):
            hosts.next().send(said)
        peer = hosts.next().send(switching() + b"hello")
        assert WEBSOCKET_ACCEPT.encode() in client.head()
        assert client.take(5) == b"hello"
        assert peer.take(5) == b"early"
        client.send(b"later")
        assert peer.take(5) == b"later"
        assert counters(world) == (1, 3, 1, 0)

    def test_nobody_knows(self, worlds):
        world = worlds(2)
        client = world.client().send(handshake(UPGRADE))
        Asked(world).all_decline(NODE_UPGRADE)
        assert client.response() == (400, UNKNOWN)

    def test_a_refusal_without_a_word_says_nothing_of_the_session(self, worlds):
        """Its polls, which may go to a living session, are asked for again."""
        world = worlds(2)
        hosts = Asked(world)
        client = world.client().send(handshake(UPGRADE))
        hosts.all_decline(answer("403 Forbidden", b"no"))
        assert client.response() == (403, b"no")
        client.send(get(POLL))
        hosts.next().send(ok())
        assert client.response() == (200, b"hello")
        assert world.count("sid_declined_cached") == 0

    def test_a_101_that_is_none_is_an_error(self, worlds):
        world = worlds(2)
        client = world.client().send(handshake(UPGRADE))
        Asked(world).next().send(switching().replace(b"s3pP", b"xxxx"))
        assert client.response()[0] == 502
