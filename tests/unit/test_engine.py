"""The event loop: listening, waking, timers, new hosts, drain, and its end."""

import select
import socket
import threading
import time
from dataclasses import replace

import pytest

from fastproxy.model import AccessLog, ClusterType, Host, SessionAffinity
from tests.unit.engine_world import get, handshake, ok, switching


def test_its_descriptor_tells_when_there_is_something_to_do(world):
    world.settle()
    assert not select.select([world.engine], [], [], 0)[0]
    client = world.client()
    assert select.select([world.engine], [], [], 5)[0]
    world.settle()
    client.send(get())
    assert select.select([world.engine], [], [], 5)[0]


def test_pump_without_events_does_nothing(world):
    for _ in range(3):
        world.engine.pump()
    assert world.engine.active == 1


def test_work_waits_for_what_comes_soon_after(world):
    """The node and the client are somebody else's; only `work` looks after the engine."""

    def serve() -> None:
        with world.nodes[0].listener.accept()[0] as node:
            for _ in range(20):
                node.recv(65536)
                node.sendall(ok())

    answers = []

    def ask() -> None:
        with socket.create_connection(world.listener.getsockname()) as client:
            for _ in range(20):
                client.sendall(get())
                answers.append(client.recv(65536))

    world.nodes[0].listener.setblocking(True)
    others = [threading.Thread(target=target) for target in (serve, ask)]
    for other in others:
        other.start()
    while any(other.is_alive() for other in others):
        if select.select([world.engine], [], [], 0.05)[0]:
            world.engine.work()
    for other in others:
        other.join()
    assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 20


def test_work_returns_when_the_caller_has_something_to_read(world):
    """Whatever else there is to do: more than one batch of events, here."""
    ours, theirs = socket.socketpair()
    world.engine.heed(ours.fileno())
    clients = [world.client() for _ in range(300)]
    world.until(lambda: world.engine.active == 301)
    theirs.send(b"!")
    for client in clients:
        client.send(b"GET /")
    world.engine.work()
    assert select.select([world.engine], [], [], 0)[0] == [world.engine]
    world.engine.work()
    assert select.select([world.engine], [], [], 0)[0] == []  # told once, though nobody has read it
    ours.close()
    theirs.close()


def test_work_without_events_returns(world):
    for _ in range(3):
        world.engine.work()
    assert world.engine.active == 1


def test_many_connections_in_one_call(world):
    """More than one batch of events, and more than is accepted at a time."""
    clients = [world.client() for _ in range(300)]
    world.until(lambda: world.engine.active == 301)
    for client in clients:
        client.close()
    world.until(lambda: world.engine.active == 1)
    assert world.count("downstream_cx_total") == world.count("downstream_cx_destroy") == 300


def test_sessions_that_have_expired_are_swept(world):
    """The table's clock is the engine's, by which the first second is long ago."""
    table = world.runtime.sessions
    table.put(b"expired", 7, 1, 1)
    table.put(b"alive", 8, int(time.monotonic()), 60)
    for _ in range(60):
        world.engine.sweep()
    assert table.counts() == {8: 1}


def test_the_listening_socket_stays_the_callers(world):
    client, node = world.ask(get())
    node.head()
    world.engine.stop_listening()
    waiting = socket.create_connection(world.listener.getsockname())
    world.settle()
    assert world.count("downstream_cx_total") == 1
    node.send(ok())
    assert client.response() == (200, b"hello")
    world.engine.listen(world.listener.fileno(), 0)
    late = world.hold(waiting).send(get())
    node.head()
    node.send(ok(b"late"))
    assert late.response() == (200, b"late")


def test_two_listeners(world):
    second = socket.create_server(("127.0.0.1", 0))
    second.setblocking(False)
    world.engine.listen(second.fileno(), 0)
    assert world.engine.active == 2
    client = world.hold(socket.create_connection(second.getsockname())).send(get())
    node = world.nodes[0].accept()
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    world.engine.stop_listening()
    world.engine.listen(world.listener.fileno(), 0)
    second.close()


def test_a_descriptor_that_is_none(world):
    with pytest.raises(OSError, match="cannot watch the listening socket"):
        world.engine.listen(10_000, 0)
    with pytest.raises(IndexError):
        world.engine.listen(world.listener.fileno(), 7)
    assert world.engine.active == 1


def test_drain_leaves_a_client_of_a_session_one_more_request(worlds):
    """It may be on its way already, and a client gives its session up when it is not answered."""
    world = worlds(1, manager={"affinity": SessionAffinity(ask=False)})
    client, node = world.ask(get("/?EIO=4&transport=polling&sid=abc"))
    node.head()
    node.send(ok())
    assert client.response() == (200, b"hello")
    world.engine.drain()
    assert world.engine.exchanges == 1
    client.send(get("/?EIO=4&transport=polling&sid=abc"))
    node.head()
    node.send(ok())
    assert b"\r\nconnection: close\r\n" in client.head()
    assert client.end() == b"hello"
    assert world.engine.exchanges == 0


def test_drain_does_not_wait_for_a_client_of_a_session_that_has_gone(worlds):
    world = worlds(1, manager={"affinity": SessionAffinity(ask=False)})
    client, node = world.ask(get("/?EIO=4&transport=polling&sid=abc"))
    node.head()
    node.send(ok())
    client.response()
    world.engine.drain()
    client.close()
    world.until(lambda: world.engine.exchanges == 0)


def test_drain_closes_what_is_idle_and_lets_the_rest_finish(world):
    idle = world.client()
    fresh = world.client()
    client, node = world.ask(get())
    node.head()
    tunnel, far = world.ask(handshake())
    far.head()
    far.send(switching())
    tunnel.head()
    world.engine.drain()
    assert idle.end() == b""
    assert fresh.end() == b""
    node.send(ok())
    head = client.head()
    assert b"\r\nconnection: close\r\n" in head
    assert client.end() == b"hello"
    tunnel.send(b"still here")
    assert far.take(10) == b"still here"
    assert world.engine.exchanges == 0
    assert world.engine.tunnels == 1


def test_new_hosts(worlds):
    world = worlds(2, cluster={"type": ClusterType.STRICT_DNS})
    first, second = (Host(node.address) for node in world.nodes)
    world.engine.set_hosts("backend", (replace(first, slot=0),))
    client, node = world.ask(get())
    node.head()
    node.send(ok(b"first"))
    assert client.response() == (200, b"first")
    world.engine.set_hosts("backend", (replace(second, slot=1),))
    assert node.end() == b"", "a connection kept to a host that went is closed"
    client.send(get())
    other = world.nodes[1].accept()
    other.head()
    other.send(ok(b"second"))
    assert client.response() == (200, b"second")


def test_hosts_that_go_while_they_answer(worlds):
    world = worlds(2, cluster={"type": ClusterType.STRICT_DNS})
    world.engine.set_hosts("backend", (Host(world.nodes[0].address, slot=0),))
    client, node = world.ask(get())
    node.head()
    world.engine.set_hosts("backend", (Host(world.nodes[1].address, slot=1),))
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert node.end() == b"", "it is not kept for a next exchange"


def test_hosts_of_a_cluster_that_is_not_there(world):
    """An answer of DNS may come behind the reload that took its cluster."""
    world.engine.set_hosts("other", ())
    assert list(world.engine.runtime.clusters) == ["backend"]


def test_close_ends_everything(world):
    client, node = world.ask(get())
    node.head()
    tunnel, far = world.ask(handshake())
    far.head()
    far.send(switching())
    tunnel.head()
    kept, idle = world.ask(get())
    idle.head()
    idle.send(ok())
    kept.response()
    partial = world.client().send(get()[:9])
    world.settle()
    world.restart()
    for peer in (client, node, tunnel, far, kept, idle, partial):
        assert peer.end() == b""


def test_logs_are_flushed_reopened_and_closed(worlds, tmp_path):
    path = tmp_path / "access.log"
    world = worlds(manager={"access_logs": (AccessLog(str(path), "%RESPONSE_CODE%\n"),)})
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    client.response()
    world.engine.flush_logs()
    world.until(lambda: path.read_text() == "200\n")
    path.rename(tmp_path / "old.log")
    world.engine.reopen_logs()
    client.send(get())
    node.head()
    node.send(ok())
    client.response()
    world.engine.flush_logs()
    world.until(lambda: path.exists() and path.read_text() == "200\n")
    assert (tmp_path / "old.log").read_text() == "200\n"
