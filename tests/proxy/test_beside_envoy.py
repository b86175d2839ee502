"""A real Envoy and fastproxy on one configuration, in front of the same nodes: each request takes the same node."""

import copy
import json
import secrets
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer
from tests.support.engine_io import ask, engine_io, node_of
from tests.support.proxies import World, Worlds
from tests.support.websocket import handshake

KEYS = 40
RINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "murmur": {"hash_function": "MURMUR_HASH_2"},
    "small": {"minimum_ring_size": 16, "maximum_ring_size": 16},
}


@pytest.fixture(scope="module", params=RINGS)
def world(request: pytest.FixtureRequest, worlds: Worlds) -> World:
    """Five nodes on a ring of the Referer."""
    return worlds.start(
        nodes=[Node(engine_io()) for _ in range(5)],
        action={"hash_policy": [{"header": {"header_name": "referer"}}]},
        cluster_fields={"lb_policy": "RING_HASH", "ring_hash_lb_config": RINGS[request.param]},
    )


@pytest.fixture(scope="module")
def envoy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an Envoy that runs the same file, but for its ports."""
    configuration = copy.deepcopy(world.proxy.configuration)
    port, admin_port = processes.free_ports(2)
    configuration["admin"]["address"]["socket_address"]["port_value"] = admin_port
    listener = configuration["static_resources"]["listeners"][0]
    listener["address"]["socket_address"]["port_value"] = port
    folder = tmp_path_factory.mktemp("envoy")
    file = folder / "envoy.json"
    file.write_text(json.dumps(configuration))
    started = processes.start(
        proxies.envoy_command(file, 1), output_path=folder / "output.txt", ports=[port, admin_port]
    )
    started.wait_listening([port, admin_port])
    yield port
    started.end()


def connect(port: int) -> Peer:
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    return Peer(connection)


def test_same_node_for_a_poll(world: World, envoy: int) -> None:
    chosen = set()
    for _ in range(KEYS):
        referer = f"http://localhost/index2.html?client_id={secrets.token_hex(8)}"
        target = "/socket.io/?EIO=4&transport=polling"
        client = connect(envoy)
        client << f"GET {target} HTTP/1.1\r\nhost: a\r\nreferer: {referer}\r\n\r\n".encode()
        expected = node_of(client.read_response())
        client.close()
        assert node_of(ask(world, target, headers={"referer": referer})) == expected != 0
        chosen.add(expected)
    assert len(chosen) > 1


def test_same_node_for_an_upgrade(world: World, envoy: int) -> None:
    for _ in range(KEYS):
        more = f"Referer: http://localhost/{secrets.token_hex(8)}\r\n".encode()
        request = handshake(b"/socket.io/?EIO=4&transport=websocket", more=more)
        nodes = []
        for client in (connect(envoy), world.client()):
            client << request
            head = client.read_head()
            assert head.status == 101
            nodes.append(node_of(head))
            client.close()
        assert nodes[0] == nodes[1] != 0
