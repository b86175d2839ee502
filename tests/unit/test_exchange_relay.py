"""TCP proxies in one engine: connect, relay, half-close, limits, and each way in which it does not work."""

import socket
from dataclasses import replace

import pytest

from fastproxy.model import (
    AccessLog,
    Address,
    HealthFlag,
    Host,
    LbPolicy,
    Listener,
    TcpCluster,
    TcpProxy,
    TcpRoute,
)
from tests.unit.engine_world import World

LOG = "%PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_HOST% %UPSTREAM_CLUSTER%\n"


@pytest.fixture
def worlds():
    """Makes worlds whose listener is a TCP proxy; they end with the test and must leave nothing behind."""
    made = []

    def make(nodes=1, *, cluster=None, **fields):
        proxy = replace(TcpProxy("t", (TcpCluster("backend"),)), **fields)
        listener = Listener("main", Address("127.0.0.1", 1), proxy)
        made.append(World(nodes, configuration={"listeners": (listener,)}, cluster=cluster or {}))
        return made[-1]

    yield make
    for world in made:
        world.close()


def test_bytes_go_both_ways(worlds):
    world = worlds()
    client = world.client().send(b"hello")
    node = world.nodes[0].accept()
    assert node.take(5) == b"hello"
    node.send(b"x" * 1_000_000)
    assert client.take(1_000_000) == b"x" * 1_000_000
    assert (world.count("downstream_cx_rx_bytes_total"), world.count("downstream_cx_tx_bytes_total")) == (5, 1_000_000)
    assert world.engine.tunnels == 1


def test_the_node_may_speak_first(worlds):
    world = worlds()
    client = world.client()
    world.nodes[0].accept().send(b"220 ready")
    assert client.take(9) == b"220 ready"


@pytest.mark.parametrize("first", ["client", "node"])
def test_half_a_connection_goes_on(worlds, first):
    world = worlds()
    client = world.client()
    node = world.nodes[0].accept()
    one, other = (client, node) if first == "client" else (node, client)
    one.send(b"last words").shut()
    assert other.end() == b"last words"
    other.send(b"an answer")
    assert one.take(9) == b"an answer"
    other.close()
    assert one.end() == b""
    world.until(lambda: world.engine.tunnels == 0)


def test_a_client_that_has_ended_before_the_connect_is_served(worlds):
    world = worlds()
    client = world.client().send(b"one-way")
    client.shut()
    node = world.nodes[0].accept()
    assert node.end() == b"one-way"


def test_a_reset_is_the_end_of_both(worlds):
    world = worlds()
    client = world.client()
    node = world.nodes[0].accept()
    world.until(lambda: world.engine.tunnels == 1)
    client.close(reset=True)
    node.end()
    assert world.engine.tunnels == 0


FAILED = int(HealthFlag.FAILED_ACTIVE_HC)
EJECTED = int(HealthFlag.FAILED_OUTLIER_CHECK)


def flags_of_both(world, flags):
    return {str(node.address): each for node, each in zip(world.nodes, flags, strict=True)}


@pytest.mark.parametrize("flags", [FAILED, EJECTED], ids=["checks", "outlier detection"])
def test_connections_to_a_host_that_begins_to_fail_are_closed(worlds, flags):
    world = worlds(2, cluster={"close_connections_on_host_health_failure": True})
    clients = [world.client(), world.client()]
    world.nodes[0].accept()
    other = world.nodes[1].accept()
    world.until(lambda: world.engine.tunnels == 2)
    world.engine.set_health("backend", flags_of_both(world, (flags, int(HealthFlag.DEGRADED_ACTIVE_HC))))
    assert clients[0].end() == b""
    other.send(b"still here")
    assert clients[1].take(10) == b"still here"
    world.engine.set_health("backend", flags_of_both(world, (0, FAILED)))
    assert clients[1].end() == b""


def test_a_host_that_fails_already_keeps_what_connects_in_a_panic(worlds):
    """Until something else finds it failing, too: as in Envoy."""
    world = worlds(cluster={"close_connections_on_host_health_failure": True})
    world.engine.set_health("backend", flags_of_both(world, [FAILED]))
    client = world.client()
    node = world.nodes[0].accept()
    world.engine.set_health("backend", flags_of_both(world, [FAILED | int(HealthFlag.ACTIVE_HC_TIMEOUT)]))
    node.send(b"still here")
    assert client.take(10) == b"still here"
    world.engine.set_health("backend", flags_of_both(world, [FAILED | EJECTED]))
    assert client.end() == b""


def test_a_host_set_that_comes_with_the_news_closes_them(worlds):
    world = worlds(cluster={"close_connections_on_host_health_failure": True})
    client = world.client()
    world.nodes[0].accept()
    world.until(lambda: world.engine.tunnels == 1)
    world.engine.set_hosts("backend", (Host(world.nodes[0].address, found_flags=FAILED), Host(Address("127.0.0.1", 1))))
    assert client.end() == b""


def test_so_does_a_configuration_that_comes_with_the_news(worlds):
    world = worlds(cluster={"close_connections_on_host_health_failure": True})
    client = world.client()
    world.nodes[0].accept()
    world.until(lambda: world.engine.tunnels == 1)
    (cluster,) = world.configuration.clusters
    failing = replace(cluster, hosts=(replace(cluster.hosts[0], found_flags=FAILED),))
    world.reload(replace(world.configuration, clusters=(failing,)))
    assert client.end() == b""


def test_connections_stay_unless_it_is_said_that_they_do_not(worlds):
    world = worlds()
    client = world.client()
    node = world.nodes[0].accept()
    world.until(lambda: world.engine.tunnels == 1)
    world.engine.set_health("backend", flags_of_both(world, [FAILED]))
    node.send(b"still here")
    assert client.take(10) == b"still here"


def test_nobody_there(worlds, tmp_path):
    log = tmp_path / "log"
    world = worlds(access_logs=(AccessLog(str(log), LOG),))
    world.nodes[0].stop()
    assert world.client().end() == b""
    world.engine.flush_logs()
    assert log.read_text() == f"- 0 URX,UF 0 0 {world.nodes[0].address} backend\n"
    assert world.count("upstream_cx_connect_fail") == world.count("upstream_cx_connect_attempts_exceeded") == 1


def test_the_next_host_when_one_cannot_be_reached(worlds):
    world = worlds(2, max_connect_attempts=2)
    world.nodes[0].stop()
    clients = [world.client().send(b"a"), world.client().send(b"b")]
    nodes = [world.nodes[1].accept(), world.nodes[1].accept()]
    assert sorted(node.take(1) for node in nodes) == [b"a", b"b"]
    assert len(clients) == 2
    assert world.count("upstream_cx_connect_fail") == 1


def test_one_host_is_tried_as_often_as_allowed(worlds):
    world = worlds(max_connect_attempts=3)
    world.nodes[0].stop()
    assert world.client().end() == b""
    assert world.count("upstream_cx_connect_fail") == 3
    assert world.count("upstream_cx_connect_attempts_exceeded") == 1


def test_a_cluster_without_hosts(worlds, tmp_path):
    log = tmp_path / "log"
    world = worlds(0, access_logs=(AccessLog(str(log), LOG),))
    assert world.client().end() == b""
    world.engine.flush_logs()
    assert log.read_text() == "- 0 UH 0 0 - -\n"
    assert world.count("upstream_cx_none_healthy") == 1


def test_no_route(worlds, tmp_path):
    log = tmp_path / "log"
    routes = (TcpRoute("backend", destination_ports=((1, 1),)),)
    world = worlds(routes=routes, access_logs=(AccessLog(str(log), LOG),))
    assert world.client().end() == b""
    world.engine.flush_logs()
    assert log.read_text() == "- 0 NR 0 0 - -\n"
    assert world.count("downstream_cx_no_route") == 1


def test_idle_timeout(worlds):
    world = worlds(idle_timeout_s=0.05)
    client = world.client()
    node = world.nodes[0].accept()
    assert client.end() == node.end() == b""
    assert world.count("idle_timeout") == 1


def test_max_downstream_connection_duration(worlds):
    world = worlds(max_downstream_connection_duration_s=0.05, idle_timeout_s=None)
    client = world.client()
    node = world.nodes[0].accept()
    assert client.end() == node.end() == b""
    assert world.count("max_downstream_connection_duration") == 1


def test_a_source_ip_keeps_its_host(worlds):
    world = worlds(3, hash_source_ip=True, cluster={"lb_policy": LbPolicy.RING_HASH})
    for _ in range(6):
        world.client()
    world.until(lambda: world.engine.tunnels == 6)
    totals = [world.host(index)["cx_total"] for index in range(3)]
    assert sorted(totals) == [0, 0, 6]
    for _ in range(6):
        world.nodes[totals.index(6)].accept()


def test_a_line_of_the_access_log(worlds, tmp_path):
    log = tmp_path / "log"
    world = worlds(access_logs=(AccessLog(str(log), LOG),))
    client = world.client().send(b"12345")
    node = world.nodes[0].accept()
    node.take(5)
    node.send(b"678").close()
    assert client.end() == b"678"
    client.close()
    world.until(lambda: world.engine.tunnels == 0)
    world.engine.flush_logs()
    assert log.read_text() == f"- 0 - 5 3 {world.nodes[0].address} backend\n"


def test_a_host_on_a_unix_socket(worlds, tmp_path):
    path = str(tmp_path / "node.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        listening.setblocking(False)
        world = worlds(0, cluster={"hosts": (Host(Address("", 0, path)),)})
        client = world.client().send(b"hi")
        found = []

        def accepted():
            try:
                found.append(listening.accept()[0])
            except BlockingIOError:
                return False
            return True

        world.until(accepted)
        node = world.hold(found[0])
        assert node.take(2) == b"hi"
        node.send(b"ho")
        assert client.take(2) == b"ho"


def test_the_engine_ends_what_still_connects(worlds):
    """A host that takes no connection: its accept queue is full."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        crowd = []
        for _ in range(3):
            crowd.append(socket.socket())
            crowd[-1].setblocking(False)
            crowd[-1].connect_ex(full.getsockname())
        world = worlds(0, cluster={"hosts": (Host(Address(*full.getsockname())),), "connect_timeout_s": 60})
        client = world.client()
        world.until(lambda: world.count("upstream_rq_total") == 1)
        world.restart()
        assert client.end() == b""
        for one in crowd:
            one.close()


def test_connect_timeout():
    """As above, with a limit that is reached."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        crowd = []
        for _ in range(3):
            crowd.append(socket.socket())
            crowd[-1].setblocking(False)
            crowd[-1].connect_ex(full.getsockname())
        listener = Listener("main", Address("127.0.0.1", 1), TcpProxy("t", (TcpCluster("backend"),)))
        cluster = {"hosts": (Host(Address(*full.getsockname())),), "connect_timeout_s": 0.05}
        world = World(0, configuration={"listeners": (listener,)}, cluster=cluster)
        assert world.client().end() == b""
        assert world.count("upstream_cx_connect_timeout") == 1
        for one in crowd:
            one.close()
        world.close()
