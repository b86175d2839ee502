"""Family 01d: one Referer on a poll, on a post and on a websocket upgrade always reaches the host that Envoy chose."""

import copy

import pytest

from tests.support import golden
from tests.support.adversary import Node
from tests.support.engine_io import ask, ask_upgrade, engine_io, node_of
from tests.support.processes import free_port
from tests.support.proxies import World, Worlds

NAME = "01d-ring-hash-referer-websocket.json"
VECTORS = golden.read(NAME)["vectors"] if golden.FOLDER.exists() else []


@pytest.fixture(scope="module")
def hosts() -> dict[str, Node]:
    """A node for each recorded address."""
    addresses = [each["address"] for each in golden.read(NAME)["cluster"]["hosts"]]
    return {address: Node(engine_io()) for address in addresses}


@pytest.fixture(scope="module")
def world(worlds: Worlds, hosts: dict[str, Node]) -> World:
    """The recorded configuration with its hosts elsewhere: `hash_key` leaves them where they were on the ring."""
    configuration = copy.deepcopy(golden.read(NAME)["envoy_config"])
    configuration["admin"]["address"]["socket_address"]["port_value"] = free_port()
    listener = configuration["static_resources"]["listeners"][0]
    listener["address"]["socket_address"]["port_value"] = free_port()
    for host in golden.hosts(configuration):
        address = host["endpoint"]["address"]["socket_address"]
        key = f"{address['address']}:{address['port_value']}"
        host["metadata"] = {"filter_metadata": {"envoy.lb": {"hash_key": key}}}
        address["port_value"] = hosts[key].port
    return worlds.run_file(configuration, list(hosts.values()))


@pytest.mark.parametrize("number", range(len(VECTORS)))
def test_same_host_by_every_kind(world: World, hosts: dict[str, Node], number: int) -> None:
    vector = VECTORS[number]
    referer = vector["request"]["headers"]["referer"]
    chosen = hosts[vector["upstream"]].port
    for method in ("GET", "POST"):
        answer = ask(
            world, "/socket.io/?EIO=4&transport=polling&sid=unknown", method=method, headers={"referer": referer}
        )
        assert node_of(answer) == chosen
    head = ask_upgrade(world, "/socket.io/?EIO=4&transport=websocket", b"Referer: " + referer.encode() + b"\r\n")
    assert (head.status, node_of(head)) == (101, chosen)
