"""Active health checks, end to end: who gets requests when nodes fail their checks, beside a real Envoy."""

import copy
import json
import socket
from collections.abc import Iterator

import pytest

from tests.support import processes, proxies
from tests.support.adversary import Peer
from tests.support.checked_nodes import AT_ONCE, CHECK, KEYS, CheckedNode, by_key, flags, nodes_of_keys, wait_flags
from tests.support.engine_io import ask, ask_upgrade, node_of, sid_in
from tests.support.proxies import World, Worlds
from tests.support.websocket import handshake

RING = {
    "lb_policy": "RING_HASH",
    "ring_hash_lb_config": {"minimum_ring_size": 64},
    "common_lb_config": AT_ONCE,
    "close_connections_on_host_health_failure": True,
}
TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
HASHED = {"hash_policy": [{"header": {"header_name": "x-key"}}]}
FAILS = "/failed_active_hc"
OPEN = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture(scope="module")
def nodes() -> list[CheckedNode]:
    return [CheckedNode() for _ in range(3)]


@pytest.fixture(scope="module")
def world(worlds: Worlds, nodes: list[CheckedNode]) -> World:
    """Three nodes on a ring, two workers."""
    return worlds.start(nodes=nodes, action=HASHED, cluster_fields={**RING, "health_checks": [CHECK]}, concurrency=2)


@pytest.fixture(autouse=True)
def all_well(world: World, nodes: list[CheckedNode]) -> None:
    """A test begins with nodes that pass their checks."""
    for node in nodes:
        node.status, node.more, node.page, node.page_more = "200 OK", "", "", ""
    wait_flags(world.proxy, *["healthy"] * 3, nodes=nodes)


@pytest.fixture(scope="module")
def envoy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The ports of an Envoy that runs the same file."""
    configuration = copy.deepcopy(world.proxy.configuration)
    port, admin_port = processes.free_ports(2)
    configuration["admin"]["address"]["socket_address"]["port_value"] = admin_port
    listener = configuration["static_resources"]["listeners"][0]
    listener["address"]["socket_address"]["port_value"] = port
    folder = tmp_path_factory.mktemp("envoy")
    file = folder / "envoy.json"
    file.write_text(json.dumps(configuration))
    command = proxies.envoy_command(file, 1)
    started = processes.start(command, output_path=folder / "output.txt", ports=[port, admin_port])
    yield port, admin_port
    started.end()


@pytest.mark.parametrize("failing", [[], [0], [1], [2], [0, 2], [0, 1, 2]])
def test_each_key_goes_where_envoy_sends_it(world, nodes, envoy, failing):
    """With two of three failing that is a panic: the ring has all nodes."""
    port, admin_port = envoy
    for place in failing:
        nodes[place].status = "503 Service Unavailable"
    wanted = {node.port: FAILS if place in failing else "healthy" for place, node in enumerate(nodes)}
    processes.wait_until(lambda: flags(admin_port) == wanted == flags(world.proxy), "both know")

    def ask_envoy(key: str) -> int:
        client = Peer(socket.create_connection(("127.0.0.1", port), timeout=5))
        client << f"GET /page HTTP/1.1\r\nhost: a\r\nx-key: {key}\r\n\r\n".encode()
        chosen = node_of(client.read_response())
        client.close()
        return chosen

    taken = {node.port for place, node in enumerate(nodes) if place not in failing or len(failing) > 1}

    def agree() -> bool:
        """Workers of either learn of it a moment after the admin."""
        expected = nodes_of_keys(world, ask_envoy)
        return set(expected) == taken and nodes_of_keys(world) == expected

    processes.wait_until(agree, "both send each key to the same node")


@pytest.mark.departure("Envoy knows no sessions")
def test_a_session_stays_at_a_node_that_fails_its_checks(world, nodes):
    sids = {node_of(answer): sid_in(answer.body) for answer in (ask(world, OPEN) for _ in range(12))}
    ill = next(node for node in nodes if node.port in sids)
    ill.status = "503 Service Unavailable"
    wait_flags(world.proxy, *[FAILS if node is ill else "healthy" for node in nodes], nodes=nodes)
    answer = ask(world, f"{OPEN}&sid={sids[ill.port]}")
    assert (answer.head.status, node_of(answer)) == (200, ill.port)
    assert node_of(ask_upgrade(world, f"/socket.io/?EIO=4&transport=websocket&sid={sids[ill.port]}")) == ill.port
    processes.wait_until(lambda: ill.port not in nodes_of_keys(world), "new requests go elsewhere")


def test_a_websocket_outlives_the_health_of_its_node(world, nodes):
    """As in Envoy it does so even where connections are to be closed: these are those of TCP proxies."""
    client = world.client() << handshake(b"/page")
    port = node_of(client.read_head())
    ill = next(node for node in nodes if node.port == port)
    ill.status = "503 Service Unavailable"
    wait_flags(world.proxy, *[FAILS if node is ill else "healthy" for node in nodes], nodes=nodes)
    client << b"\x81\x01a"
    client >> b"\x81\x01a"


def test_a_connection_of_a_tcp_proxy_ends_when_its_node_fails(worlds):
    node = CheckedNode()
    port, admin_port = processes.free_ports(2)
    fields = {**RING, "health_checks": [CHECK]}
    configuration = proxies.bootstrap(port, admin_port, {}, [proxies.cluster("backend", [node.port], **fields)])
    proxy = {"@type": TCP_PROXY, "stat_prefix": "t", "cluster": "backend"}
    (listener,) = configuration["static_resources"]["listeners"]
    listener["filter_chains"] = [{"filters": [{"name": "tcp", "typed_config": proxy}]}]
    started = worlds.run_file(configuration, [node])
    wait_flags(started.proxy, "healthy", nodes=[node])
    client = started.client() << handshake(b"/page")
    assert client.read_response().head.status == 200
    node.status = "503 Service Unavailable"
    client.assert_ended()


def test_a_degraded_node_gets_nothing_on_a_ring(world, nodes):
    nodes[1].more = "x-envoy-degraded: 1\r\n"
    wait_flags(world.proxy, "healthy", "/degraded_active_hc", "healthy", nodes=nodes)
    processes.wait_until(lambda: nodes[1].port not in nodes_of_keys(world), "it gets nothing")
    stats = world.proxy.stats()
    assert (stats["cluster.backend.membership_degraded"], stats["cluster.backend.health_check.degraded"]) == (1, 1)


def test_a_node_can_leave_by_an_ordinary_answer(world, nodes):
    """Until its checks pass again, which they do here."""
    key = next(f"key-{number}" for number in range(KEYS) if by_key(world, f"key-{number}") == nodes[0].port)
    name = "cluster.backend.health_check.passive_failure"
    before = world.proxy.stats()[name]
    nodes[0].page, nodes[0].page_more = "200 OK", "x-envoy-immediate-health-check-fail: true\r\n"
    nodes[0].hang_up()

    def has_left() -> bool:
        by_key(world, key)
        return world.proxy.stats()[name] > before

    processes.wait_until(has_left, "it is left out")


def test_new_workers_know_it_from_the_beginning(world, nodes):
    nodes[1].status = "503 Service Unavailable"
    wait_flags(world.proxy, "healthy", FAILS, "healthy", nodes=nodes)
    world.proxy.replace_workers()
    assert nodes[1].port not in nodes_of_keys(world)


@pytest.mark.departure("Envoy does not read its file again")
def test_a_reload_keeps_what_is_known(world, nodes):
    nodes[2].status = "503 Service Unavailable"
    wait_flags(world.proxy, "healthy", "healthy", FAILS, nodes=nodes)
    processes.wait_until(lambda: nodes[2].port not in nodes_of_keys(world), "new requests go elsewhere")
    asked = nodes_of_keys(world)
    configuration = copy.deepcopy(world.proxy.configuration)
    configuration["static_resources"]["clusters"][0]["health_checks"][0]["http_health_check"]["host"] = "other"
    world.proxy.reload(configuration)
    assert flags(world.proxy)[nodes[2].port] == FAILS
    assert nodes_of_keys(world) == asked
    assert world.proxy.stats()["cluster.backend.membership_healthy"] == 2


def test_counters(world, nodes):
    stats = world.proxy.stats()
    prefix = "cluster.backend.health_check."
    asked = stats[f"{prefix}success"] + stats[f"{prefix}failure"] - stats[f"{prefix}passive_failure"]
    assert stats[f"{prefix}attempt"] >= asked > 0
    assert stats[f"{prefix}healthy"] == 3


def test_nobody_is_asked_before_the_first_check(worlds):
    """The very first requests go to nodes that have passed one."""
    nodes = [CheckedNode("503 Service Unavailable"), CheckedNode(), CheckedNode()]
    started = worlds.start(nodes=nodes, action=HASHED, cluster_fields={**RING, "health_checks": [CHECK]})
    assert nodes[0].port not in nodes_of_keys(started)
    assert [node.checks > 0 for node in nodes] == [True] * 3


@pytest.mark.departure("Envoy has no such check")
def test_a_check_that_opens_a_session(worlds):
    probe = {
        "name": "fastproxy.engine_io",
        "typed_config": {
            "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
            "type_url": "fastproxy.v1.EngineIoHealthCheck",
            "value": {"path": "/socket.io/"},
        },
    }
    check = {key: value for key, value in CHECK.items() if key != "http_health_check"}
    nodes = [CheckedNode(), CheckedNode()]
    nodes[1].page = "200 OK"
    fields = {"health_checks": [{**check, "custom_health_check": probe}]}
    started = worlds.start(nodes=nodes, cluster_fields=fields)
    wait_flags(started.proxy, "healthy", FAILS, nodes=nodes)
    targets = [message.head.target for message in nodes[0].requests[:2]]
    assert targets[0] == b"/socket.io/?EIO=4&transport=polling"
    assert targets[1].startswith(b"/socket.io/?EIO=4&transport=polling&sid=")
