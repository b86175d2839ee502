"""SIGHUP where listeners have several filter chains, TCP proxies and Unix sockets."""

import copy
import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Node, Peer, answering
from tests.support.processes import wait_until
from tests.support.proxies import Json, World, Worlds, cluster, connection_manager, route

pytestmark = pytest.mark.departure("Envoy does not read its file again")

TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


def tcp_to(name: str) -> Json:
    return {"name": "tcp", "typed_config": {"@type": TCP_PROXY, "stat_prefix": "t", "cluster": name}}


def http_to(name: str) -> Json:
    return {"name": "http", "typed_config": connection_manager([route("/", name)])}


def only_for(address: str, network_filter: Json) -> Json:
    match = {"prefix_ranges": [{"address_prefix": address, "prefix_len": 32}]}
    return {"filter_chain_match": match, "filters": [network_filter]}


def configuration(nodes: list[Node], port: int, admin_port: int, path: Path) -> Json:
    """TCP to the first node at 127.0.0.1, to the second at 127.0.0.2; HTTP to the third on a Unix socket."""
    chains = [only_for("127.0.0.1", tcp_to("c0")), only_for("127.0.0.2", tcp_to("c1"))]
    listeners: list[dict[str, Any]] = [
        {"name": "chains", "address": proxies.socket_address(port, "0.0.0.0"), "filter_chains": chains},
        {"name": "pipe", "address": {"pipe": {"path": str(path)}}, "filter_chains": [{"filters": [http_to("c2")]}]},
    ]
    clusters = [cluster(f"c{place}", [node.port]) for place, node in enumerate(nodes)]
    resources = {"listeners": listeners, "clusters": clusters}
    return {"admin": {"address": proxies.socket_address(admin_port)}, "static_resources": resources}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "front.sock"


@pytest.fixture
def world(worlds: Worlds, path: Path) -> Iterator[World]:
    nodes = [Node(), Node(), Node(named(2)), Node(named(3))]
    port, admin_port = processes.free_ports(2)
    started = worlds.run_file(configuration(nodes, port, admin_port, path), nodes, concurrency=2)
    yield started
    started.settle()
    worlds.live.remove(started)
    assert "Traceback" not in started.proxy.process.output
    started.proxy.stop()


def named(number: int) -> Any:
    return answering(lambda node, request: b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % number)


def with_chains(world: World, *chains: Json) -> Json:
    changed: Json = copy.deepcopy(world.proxy.configuration)
    changed["static_resources"]["listeners"][0]["filter_chains"] = list(chains)
    return changed


def tunnel(world: World, address: str, node: Node) -> tuple[Peer, Peer]:
    """A client of that address, and its connection at the node, which it has to be."""
    client = Peer(socket.create_connection((address, world.proxy.port), 5))
    world.clients.append(client)
    client << b"hello"
    peer = node.accept()
    peer >> b"hello"
    return client, peer


def test_a_tcp_tunnel_lives_on_and_changed_chains_take_new_connections(world: World) -> None:
    first, second, *_ = world.nodes
    old = [tunnel(world, "127.0.0.1", first), tunnel(world, "127.0.0.2", second)]
    world.proxy.reload(with_chains(world, only_for("127.0.0.1", tcp_to("c1")), only_for("127.0.0.2", tcp_to("c0"))))
    new = [tunnel(world, "127.0.0.1", second), tunnel(world, "127.0.0.2", first)]
    for client, peer in old + new:
        client << b"up"
        peer >> b"up"
        peer << b"down"
        client >> b"down"
    assert world.proxy.stats()["tcp.t.downstream_cx_total"] == 4
    for client, peer in old:
        client.half_close()
        peer.assert_fin()
        peer << b"the rest"
        client >> b"the rest"


def test_a_tcp_tunnel_outlives_its_chain(world: World) -> None:
    client, peer = tunnel(world, "127.0.0.2", world.nodes[1])
    world.proxy.reload(with_chains(world, only_for("127.0.0.1", tcp_to("c0"))))
    with closing(Peer(socket.create_connection(("127.0.0.2", world.proxy.port), 5))) as closed:
        closed.assert_ended()
    assert world.proxy.stats()[f"listener.0.0.0.0_{world.proxy.port}.no_filter_chain_match"] == 1
    client << b"still"
    peer >> b"still"


def test_a_chain_becomes_one_of_http(world: World) -> None:
    client, peer = tunnel(world, "127.0.0.1", world.nodes[0])
    world.proxy.reload(with_chains(world, only_for("127.0.0.1", http_to("c3")), only_for("127.0.0.2", tcp_to("c1"))))
    asked = world.client() << GET
    assert asked.read_response().body == b"3"
    tunnel(world, "127.0.0.2", world.nodes[1])
    peer << b"bytes"
    client >> b"bytes"


def ask(path: Path) -> Peer:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(str(path))
    return Peer(connection) << GET


def test_a_unix_listener_keeps_its_socket_and_its_queue(world: World, path: Path) -> None:
    inode = path.stat().st_ino
    kept = ask(path)
    assert kept.read_response().body == b"2"
    changed = copy.deepcopy(world.proxy.configuration)
    changed["static_resources"]["listeners"][1]["filter_chains"] = [{"filters": [http_to("c3")]}]
    world.proxy.file.write_text(json.dumps(changed))
    workers = processes.children(world.proxy.process.pid)
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        waiting = [ask(path) for _ in range(20)]
        world.proxy.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reading the configuration again" in world.proxy.process.output, "it is read")
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    assert {client.read_response().body for client in waiting} <= {b"2", b"3"}
    wait_until(lambda: world.proxy.stats()["server.config_reload_success"] == 1, "the reload")
    assert path.stat().st_ino == inode
    waiting.append(kept << GET)
    waiting.append(ask(path))
    assert [client.read_response().body for client in waiting[-2:]] == [b"3", b"3"]
    for client in waiting:
        client.close()
