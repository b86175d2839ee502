"""What clients are told of lost sessions, and what the log says."""

from dataclasses import replace
from typing import Any

import pytest

from fastproxy.model import SessionAffinity
from fastproxy.model_affinity import ENGINE_IO
from fastproxy.model_routes import CorsPolicy, StringMatch, StringMatcher
from fastproxy.runtime import Runtime
from tests.unit.engine_world import KEY, Node, Peer, World, configuration, field, get, handshake, ok
from tests.unit.lost_answers import GO, NODE_POLL, PYTHON, UNKNOWN, UNKNOWN_400, answer
from tests.unit.test_exchange_sessions import opened

ANY_ORIGIN = CorsPolicy((StringMatcher(StringMatch.EXACT, "*"),))
POLL = "/socket.io/?EIO=4&transport=polling&sid=abc"


def without(world: World, home: Node, **settings: Any) -> None:
    """Take a node out of the cluster."""
    world.nodes.remove(home)
    world.change(**settings)
    world.nodes.append(home)


@pytest.fixture
def lines(caplog):
    caplog.set_level("INFO", "fastproxy.affinity")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "fastproxy.affinity"]


def test_a_host_that_left_takes_its_sessions_along(worlds, lines):
    world = worlds(3)
    home, _ = opened(world)
    without(world, home)
    client = world.client().send(get(POLL))
    head = client.head()
    assert head.startswith(b"HTTP/1.1 400 Bad Request")
    assert field(head, b"content-type") == b"application/json"
    assert client.take(len(UNKNOWN)) == UNKNOWN
    assert lines() == [f"sid a.. was issued by {home.address}, which left 0 s ago"]
    assert world.count("sid_lost_host_gone") == 1


def test_so_does_one_that_left_with_its_cluster(worlds, lines):
    world = worlds(3)
    home, _ = opened(world)
    without(world, home, cluster={"connect_timeout_s": 7})
    assert world.client().send(get(POLL)).response() == (400, UNKNOWN)
    assert lines() == [f"sid a.. was issued by {home.address}, which left 0 s ago"]


def test_a_worker_that_was_started_since_knows_only_that_it_left(worlds, lines):
    world = worlds(3)
    home, peer = opened(world)
    hosts = [node.address for node in world.nodes if node is not home]
    world.runtime = Runtime(configuration(hosts), world.layout, world.row, world.sessions, KEY)
    peer.close()
    world.restart()
    assert world.client().send(get(POLL)).response() == (400, UNKNOWN)
    assert lines() == ["sid a.. was issued by a host that cluster backend does not have"]


def test_pages_of_other_origins_may_read_it(worlds):
    world = worlds(3, route={"cors": ANY_ORIGIN})
    home, _ = opened(world)
    without(world, home, route={"cors": ANY_ORIGIN})
    head = world.client().send(get(POLL, "origin: http://elsewhere")).head()
    assert field(head, b"access-control-allow-origin") == b"http://elsewhere"


def test_it_has_them_again_when_it_comes_back(worlds):
    world = worlds(3)
    home, _ = opened(world)
    without(world, home)
    world.client().send(get(POLL)).response()
    world.change()
    client = world.client().send(get(POLL))
    peer = home.accept()
    peer.head()
    peer.send(ok(b"yes"))
    assert client.response() == (200, b"yes")


def test_the_answer_keeps_the_connection(worlds):
    world = worlds(3)
    home, _ = opened(world)
    without(world, home)
    client = world.client().send(get(POLL) + get(POLL))
    assert client.response() == client.response() == (400, UNKNOWN)


def test_a_host_that_refuses_connections_has_no_sessions(worlds, lines):
    world = worlds(3)
    home, peer = opened(world)
    home.stop()
    peer.close()
    world.settle()
    client = world.client().send(get(POLL))
    assert client.response() == (400, UNKNOWN)
    assert lines() == [f"sid a.. was issued by {home.address}, which cannot be connected"]
    assert world.count("sid_lost_connect_fail") == 1
    assert not any(node.is_asked() for node in world.nodes if node is not home)


def test_of_a_protocol_without_a_lost_answer_another_host_is_tried(worlds):
    affinity = SessionAffinity((replace(ENGINE_IO, lost=None),))
    world = worlds(2, manager={"affinity": affinity})
    home, peer = opened(world)
    home.stop()
    peer.close()
    world.settle()
    client = world.client().send(get(POLL))
    (other,) = [node for node in world.nodes if node is not home]
    again = other.accept()
    again.head()
    again.send(ok(b"who?"))
    assert client.response() == (200, b"who?")


def test_a_preflight_tries_another_host_and_loses_nothing(worlds):
    world = worlds(2)
    home, peer = opened(world)
    home.stop()
    peer.close()
    world.settle()
    client = world.client().send(get(POLL, method="OPTIONS"))
    (other,) = [node for node in world.nodes if node is not home]
    again = other.accept()
    again.head()
    again.send(ok())
    assert client.response() == (200, b"hello")
    assert world.count("sid_lost_connect_fail") == 0


def said_by_its_host(world: World, said: bytes) -> Peer:
    """A client that asked for session abc, whose own host has answered so."""
    _, peer = opened(world)
    client = world.client().send(get(POLL))
    peer.head()
    peer.send(said)
    return client


@pytest.mark.parametrize("said", [UNKNOWN_400, PYTHON, GO])
def test_a_host_that_forgot_is_believed(worlds, lines, said):
    world = worlds(3)
    client = said_by_its_host(world, said)
    status, body = client.response()
    assert (status, said.endswith(body)) == (400, True)
    assert world.count("sid_lost_by_host") == 1
    assert "which does not know it any more" in lines()[0]
    client.send(get(POLL))
    world.until(lambda: world.count("sid_unknown") == 1)


def test_a_host_that_forgot_says_so_in_chunks(worlds):
    world = worlds(3)
    client = said_by_its_host(world, NODE_POLL)
    client.head()
    client.until(lambda: client.got.endswith(b"0\r\n\r\n"))
    assert UNKNOWN in client.got
    assert world.count("sid_lost_by_host") == 1


@pytest.mark.parametrize(
    "said",
    [
        answer("400 Bad Request", b'{"code":3,"message":"Bad request"}'),
        answer("404 Not Found", UNKNOWN),
        answer("400 Bad Request", UNKNOWN, "content-encoding: gzip"),
        answer("400 Bad Request", b" " * 2048 + UNKNOWN),
        ok(UNKNOWN),
    ],
)
def test_what_does_not_lose_a_session(worlds, said):
    world = worlds(3)
    status, body = said_by_its_host(world, said).response()
    assert (status, body) == (int(said.split()[1]), said.partition(b"\r\n\r\n")[2])
    assert world.count("sid_lost_by_host") == 0


def test_an_answer_that_is_cut_is_passed_on_cut(worlds):
    world = worlds(2)
    _, peer = opened(world)
    client = world.client().send(get(POLL))
    peer.head()
    peer.send(UNKNOWN_400[:-5])
    world.settle()
    peer.close()
    assert client.end().endswith(UNKNOWN[:-5])


def test_an_answer_without_a_length_ends_with_its_connection(worlds):
    world = worlds(2)
    _, peer = opened(world)
    client = world.client().send(get(POLL))
    peer.head()
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n" + UNKNOWN)
    world.settle()
    peer.close()
    client.head()
    client.until(lambda: client.got.endswith(b"0\r\n\r\n"))
    assert UNKNOWN in client.got
    assert world.count("sid_lost_by_host") == 1


def test_an_upgrade_of_a_lost_session_is_refused(worlds):
    world = worlds(3)
    home, _ = opened(world)
    without(world, home)
    client = world.client().send(handshake("/socket.io/?EIO=4&transport=websocket&sid=abc"))
    assert client.response() == (400, UNKNOWN)


def test_a_post_of_a_lost_session_is_answered_before_its_body(worlds):
    world = worlds(3)
    home, _ = opened(world)
    without(world, home)
    client = world.client().send(get(POLL, "content-length: 5", method="POST"))
    assert field(client.head(), b"connection") == b"close"
    assert client.take(len(UNKNOWN)) == UNKNOWN
    client.send(b"hello").shut()
    client.end()
