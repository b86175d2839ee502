"""TCP proxies, filter chains and Unix sockets in a whole server, beside a real Envoy on the same file."""

import contextlib
import copy
import json
import os
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer
from tests.support.proxies import World, Worlds

TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
SOURCES = [f"127.0.0.{number}" for number in range(1, 25)]


def tcp(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "tcp", "typed_config": {"@type": TCP_PROXY, "stat_prefix": "t", **fields}}]


def only_for(address: str, **fields: Any) -> dict[str, Any]:
    match = {"prefix_ranges": [{"address_prefix": address, "prefix_len": 32}]}
    return {"filter_chain_match": match, "filters": tcp(**fields)}


def echo(node: Node, peer: Peer) -> None:
    """Say which node it is, then return every byte."""
    peer << b"%5d" % node.port
    while data := peer.socket.recv(65536):
        peer << data


def configuration(ports: tuple[int, int, int], path: Path, nodes: list[int]) -> dict[str, Any]:
    """A ring by source IP, a weighted split on a Unix socket, and chains by destination IP."""
    ring, chains, admin = ports
    weighted = {"clusters": [{"name": "one", "weight": 1}, {"name": "two", "weight": 3}]}
    first = tcp(cluster="ring", hash_policy=[{"source_ip": {}}])
    listeners = [
        {"name": "ring", "address": proxies.socket_address(ring), "filter_chains": [{"filters": first}]},
        {
            "name": "pipe",
            "address": {"pipe": {"path": str(path)}},
            "filter_chains": [{"filters": tcp(weighted_clusters=weighted)}],
        },
        {
            "name": "chains",
            "address": proxies.socket_address(chains, "0.0.0.0"),
            "filter_chains": [only_for("127.0.0.2", cluster="one"), only_for("127.0.0.3", cluster="two")],
        },
    ]
    clusters = [
        proxies.cluster("ring", nodes, lb_policy="RING_HASH"),
        proxies.cluster("one", nodes[:1]),
        proxies.cluster("two", nodes[1:2]),
    ]
    resources = {"listeners": listeners, "clusters": clusters}
    return {"admin": {"address": proxies.socket_address(admin)}, "static_resources": resources}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tcp")


@pytest.fixture(scope="module")
def world(worlds: Worlds, folder: Path) -> World:
    nodes = [Node(echo) for _ in range(4)]
    ring, chains, admin = processes.free_ports(3)
    file = configuration((ring, chains, admin), folder / "ours.sock", [node.port for node in nodes])
    return worlds.run_file(file, nodes, concurrency=2)


@pytest.fixture(scope="module")
def envoy(world: World, folder: Path) -> Iterator[dict[str, Any]]:
    """The configuration of an Envoy that differs from ours in its ports and path only."""
    ports = processes.free_ports(3)
    found = configuration((ports[0], ports[1], ports[2]), folder / "envoy.sock", [node.port for node in world.nodes])
    file = folder / "envoy.json"
    file.write_text(json.dumps(found))
    started = processes.start(proxies.envoy_command(file, 1), output_path=folder / "output.txt", ports=ports)
    started.wait_listening(list(ports))
    yield found
    started.end()


def address_of(file: dict[str, Any], place: int) -> Any:
    address = copy.deepcopy(file["static_resources"]["listeners"][place]["address"])
    if "pipe" in address:
        return address["pipe"]["path"]
    return "127.0.0.1", address["socket_address"]["port_value"]


def node_of(address: Any, source: str = "") -> int:
    """The port of the node that a connection reaches, 0 when it is closed; bytes and half-closes have passed."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(10)
        if source:
            client.bind((source, 0))
        client.connect(address)
        with contextlib.suppress(ConnectionError), client.makefile("rb") as reader:
            port = int(reader.read(5) or 0)
            if port:
                client.sendall(b"ping")
                client.shutdown(socket.SHUT_WR)
                assert reader.read() == b"ping"
            return port
    return 0


def test_same_node_by_source_ip(world: World, envoy: dict[str, Any]) -> None:
    ours = [node_of(address_of(world.proxy.configuration, 0), source) for source in SOURCES]
    assert ours == [node_of(address_of(envoy, 0), source) for source in SOURCES]
    assert len(set(ours)) == len(world.nodes)


def test_a_weighted_split_on_a_unix_socket(world: World, envoy: dict[str, Any]) -> None:
    """Of 300 connections a quarter: fewer than 40 or more than 115 would be five standard deviations off."""
    for file in (world.proxy.configuration, envoy):
        chosen = Counter(node_of(address_of(file, 1)) for _ in range(300))
        assert set(chosen) == {node.port for node in world.nodes[:2]}
        assert 40 <= chosen[world.nodes[0].port] <= 115


def test_chains_by_destination_ip(world: World, envoy: dict[str, Any]) -> None:
    for file in (world.proxy.configuration, envoy):
        port = address_of(file, 2)[1]
        found = [node_of((f"127.0.0.{last}", port)) for last in (2, 3, 4)]
        assert found == [world.nodes[0].port, world.nodes[1].port, 0]
    name = f"listener.0.0.0.0_{address_of(world.proxy.configuration, 2)[1]}.no_filter_chain_match"
    assert world.proxy.stats()[name] == 1


def test_the_admin_names_them_as_envoy(world: World) -> None:
    path = address_of(world.proxy.configuration, 1)
    assert f"pipe::{path}\n" in world.proxy.admin("/listeners")[1]
    assert os.path.exists(path)
