"""Every exchange ends in one line of every access log; a tunnel too, at its end."""

from pathlib import Path

import pytest

from fastproxy.model import AccessLog
from tests.unit.engine_world import World, get, handshake, ok, switching

FORMAT = (
    "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT%"
    " %REQ(REFERER)% %RESP(X-ANSWER)% %UPSTREAM_CLUSTER%\n"
)


@pytest.fixture
def logged(worlds, tmp_path):
    """`logged(**settings)` is a world that writes an access log."""

    def make(nodes: int = 1, logs: int = 1, **settings: object) -> World:
        written = tuple(AccessLog(str(tmp_path / f"{number}.log"), FORMAT) for number in range(logs))
        world: World = worlds(nodes, manager={"access_logs": written, "stream_idle_timeout_s": 5}, **settings)
        return world

    return make


def lines(world: World, count: int = 1, log: int = 0) -> list[str]:
    """The log's lines, once there are so many."""
    path = Path(world.configuration.listeners[0].manager.access_logs[log].path)

    def written() -> bool:
        world.engine.flush_logs()
        return path.exists() and path.read_text().count("\n") >= count

    world.until(written)
    found = path.read_text().splitlines()
    assert len(found) == count
    return found


def test_an_exchange(logged):
    world = logged()
    client, node = world.ask(get("/a?b", "content-length: 3", "referer: http://h/", method="POST") + b"abc")
    node.head()
    node.send(ok(b"hello", "x-answer: yes"))
    client.response()
    assert lines(world) == ["POST /a?b HTTP/1.1 200 - 3 5 http://h/ yes backend"]


def test_a_referer_that_is_none_is_not_logged(logged):
    world = logged()
    client, node = world.ask(get("/", "referer: about:blank"))
    node.head()
    node.send(ok())
    client.response()
    assert lines(world) == ["GET / HTTP/1.1 200 - 0 5 - - backend"]


def test_a_request_without_a_route(logged):
    world = logged(domains=("known.example",))
    world.client().send(get("/x") * 2).response()
    assert lines(world, 2) == ["GET /x HTTP/1.1 404 NR 0 0 - - -"] * 2


def test_nobody_to_ask(logged):
    world = logged(0)
    world.client().send(get()).response()
    assert lines(world)[0].startswith("GET / HTTP/1.1 503 UH 0 19 - - ")


def test_a_host_that_refuses(logged):
    world = logged()
    world.nodes[0].stop()
    world.client().send(get()).response()
    (line,) = lines(world)
    assert line.startswith("GET / HTTP/1.1 503 UF 0 ")


def test_garbage(logged):
    world = logged()
    world.client().send(b"garbage\r\n\r\n").response()
    (line,) = lines(world)
    assert " 400 DPE 0 11 " in line


def test_a_client_that_leaves(logged):
    world = logged()
    client, node = world.ask(get("/gone"))
    node.head()
    client.close()
    assert lines(world) == ["GET /gone HTTP/1.1 0 DC 0 0 - - backend"]


def test_a_node_that_closes(logged):
    world = logged()
    client, node = world.ask(get())
    node.head()
    node.close()
    client.response()
    (line,) = lines(world)
    assert line.startswith("GET / HTTP/1.1 503 UC 0 ")


def test_a_tunnel(logged):
    world = logged()
    client, node = world.ask(handshake("/ws", "referer: /page") + b"abc")
    node.head()
    node.send(switching() + b"12345")
    client.head()
    assert node.take(3) == b"abc"
    node.send(b"67")
    client.take(7)
    client.close()
    node.close()
    (line,) = lines(world)
    assert line.startswith("GET /ws HTTP/1.1 101 ")
    assert line.endswith(" 3 7 /page - backend")


def test_several_logs(logged):
    world = logged(logs=3)
    client, node = world.ask(get())
    node.head()
    node.send(ok())
    client.response()
    assert lines(world, log=0) == lines(world, log=1) == lines(world, log=2)


def test_the_engines_end_is_logged(logged):
    world = logged()
    _, node = world.ask(get("/open"))
    node.head()
    tunnel, far = world.ask(handshake("/tunnel"))
    far.head()
    far.send(switching())
    tunnel.head()
    world.restart()
    path = Path(world.configuration.listeners[0].manager.access_logs[0].path)
    assert sorted(line.split(" ")[1] for line in path.read_text().splitlines()) == ["/open", "/tunnel"]
