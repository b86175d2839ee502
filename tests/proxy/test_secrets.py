"""What nobody may find in a log: headers that no format names, bodies, and whole session ids but in paths."""

import re
import secrets

import pytest

from tests.support.adversary import Node
from tests.support.engine_io import ask, ask_upgrade, engine_io, response, sessions, sid_in
from tests.support.processes import wait_until
from tests.support.proxies import WEBSOCKET, Json, Worlds, cluster, connection_manager, departures, route

POLL = "/socket.io/?EIO=4&transport=polling"
NAMES = ("authorization", "proxy-authorization", "cookie", "x-api-key", "sec-websocket-protocol")
HEADERS = {name: f"{name}-{secrets.token_hex(8)}" for name in NAMES}
SET_COOKIE = f"set-cookie-{secrets.token_hex(8)}"
BODY = f"body-{secrets.token_hex(8)}"


def answer(node: Node, body: bytes) -> bytes:
    return response(node, body, more=f"set-cookie: a={SET_COOKIE}\r\nx-body: {BODY}\r\n".encode())


def file_log(path: str) -> Json:
    typed = {"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": path}
    return {"name": "envoy.access_loggers.file", "typed_config": typed}


@pytest.mark.departure("Envoy knows no lost session, and its log can be read by everybody")
def test_logs(worlds: Worlds, tmp_path) -> None:
    """Of a session that opens, goes on and is lost, and of heads that cannot be read or try to steer a terminal."""
    path = tmp_path / "access.log"
    node = Node(engine_io(encode=answer))
    manager = connection_manager(
        [route("/", "backend")],
        access_log=[file_log(str(path))],
        upgrade_configs=WEBSOCKET,
        http_filters=departures(),
    )
    world = worlds.run(manager, [cluster("backend", [node.port])], [node])
    sid = sid_in(ask(world, POLL, headers=HEADERS).body)
    assert ask(world, f"{POLL}&sid={sid}", method="POST", headers=HEADERS).head.status == 200
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items()).encode()
    assert ask_upgrade(world, f"/socket.io/?EIO=4&transport=websocket&sid={sid}", lines).status == 101
    sessions(node).clear()
    assert ask(world, f"{POLL}&sid={sid}", headers=HEADERS).head.status == 400
    broken = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n" + lines + b"x y: z\r\n\r\n"
    assert broken.read_head().status == 400
    forged = f"/a%0d%0a?{'x' * 10}"
    client = world.client() << f'GET {forged} HTTP/1.1\r\nhost: a\r\nuser-agent: \x1b[2J"\xe9\r\n\r\n'.encode("latin-1")
    client.read_response()
    world.settle()
    wait_until(lambda: path.read_text().count("\n") == 6, lambda: path.read_text())
    logged, told = path.read_bytes().decode(), world.proxy.process.output
    for value in (*HEADERS.values(), SET_COOKIE, BODY):
        assert value not in logged
        assert value not in told
    assert f"sid {sid[:4]}" in told
    assert sid not in told
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", logged + told)
    assert path.stat().st_mode & 0o007 == 0
