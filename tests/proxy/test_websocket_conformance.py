"""A WebSocket server answers good and bad clients the same directly and through the proxy, byte for byte."""

import socket
import sys
from collections.abc import Iterator, Mapping

import pytest

from tests.conformance import cases
from tests.support import processes, proxies
from tests.support.adversary import Peer, cut
from tests.support.proxies import Worlds
from tests.support.websocket import handshake

DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"
MOST_CUT_BYTES = 4096  # longer ones are not worth the time


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that returns every message."""
    port = processes.free_port()
    command = [sys.executable, "-m", "tests.conformance.orderly_node", str(port)]
    process = processes.start(command, output_path=tmp_path_factory.mktemp("echo") / "output", ports=[port])
    yield port
    process.kill()


@pytest.fixture(scope="module")
def proxy(worlds: Worlds, node: int) -> int:
    """The port of a proxy before it."""
    manager = proxies.connection_manager([proxies.route("/", "node")], upgrade_configs=proxies.WEBSOCKET)
    port, admin_port = processes.free_ports(2)
    worlds.run_file(proxies.bootstrap(port, admin_port, manager, [proxies.cluster("node", [node])]), [])
    return port


def transcript(port: int, raw: bytes, how: str, extensions: bytes) -> tuple[list[bytes], bytes]:
    """The extensions that the server agrees to, and all that it says up to its end.

    "with the handshake": it does not wait for the 101.
    """
    client = Peer(socket.create_connection(("127.0.0.1", port)))
    try:
        is_early = how == "with the handshake"
        client << handshake(more=extensions) + (raw if is_early else b"")
        head = client.read_head()
        assert head.status == 101
        if not is_early:
            send(client, cut(raw, how))
        lines = [value for name, value in head.lines if name.lower() == b"sec-websocket-extensions"]
        return lines, client.read_to_end()
    finally:
        client.close()


def send(client: Peer, pieces: list[bytes]) -> None:
    """A server that has seen enough may be gone before the last of them."""
    try:
        for piece in pieces:
            client << piece
    except (BrokenPipeError, ConnectionResetError):
        return


def differences(node: int, proxy: int, table: Mapping[str, bytes], extensions: bytes = b"") -> list[str]:
    """The cases in which the proxy makes a difference."""
    found = []
    for number, (name, raw) in enumerate(table.items()):
        directly = transcript(node, raw, "whole", extensions)
        other = "random:1" if number % 2 and len(raw) < MOST_CUT_BYTES else "with the handshake"
        for how in ("whole", other):
            if (through := transcript(proxy, raw, how, extensions)) != directly:
                found.append(f"{name}, {how}: {through} through the proxy, {directly} directly")
    return found


@pytest.mark.parametrize("theme", cases.PLAIN)
def test_plain(node: int, proxy: int, theme) -> None:
    table = theme()
    assert differences(node, proxy, table) == []


def test_compressed(node: int, proxy: int) -> None:
    assert differences(node, proxy, cases.compressed(), DEFLATE) == []
    assert transcript(proxy, cases.close(), "whole", DEFLATE)[0]  # it was agreed on


def test_the_table_has_something_to_say() -> None:
    """Many cases, none of them twice but for what sizes have in common."""
    raws = [raw for theme in cases.PLAIN for raw in theme().values()]
    assert len(raws) > 150
    assert len(set(raws)) > 0.95 * len(raws)
