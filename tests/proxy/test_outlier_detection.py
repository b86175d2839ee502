"""Outlier detection, end to end: who is left out for answering badly, and who is not."""

import json
import re
from pathlib import Path

import pytest

from tests.support import processes, proxies
from tests.support.checked_nodes import CHECK, CheckedNode, flags, wait_flags
from tests.support.engine_io import ask, node_of
from tests.support.proxies import World, Worlds
from tests.support.websocket import handshake

EJECTED = "/failed_outlier_check"
OUTLIERS = {
    "consecutive_5xx": 3,
    "interval": "0.05s",
    "base_ejection_time": "0.05s",
    "max_ejection_percent": 50,
    "split_external_local_origin_errors": False,
}
ENDLESS = {**OUTLIERS, "base_ejection_time": "300s"}
TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|(?<=\"secs_since_last_action\": \")\d+")
PREFIX = "cluster.backend.outlier_detection.ejections_"


def started_with_log(worlds: Worlds, path: Path, outliers: dict, *nodes: CheckedNode) -> World:
    """As `started`, with a log of ejections."""
    backend = proxies.cluster("backend", [node.port for node in nodes], outlier_detection=outliers)
    manager = proxies.connection_manager([proxies.route("/", "backend")])
    port, admin_port = processes.free_ports(2)
    configuration = proxies.bootstrap(port, admin_port, manager, [backend])
    configuration["cluster_manager"] = {"outlier_detection": {"event_log_path": str(path)}}
    return worlds.run_file(configuration, nodes, concurrency=2)


def started(worlds: Worlds, outliers: dict, *nodes: CheckedNode, **fields) -> World:
    return worlds.start(nodes=nodes, cluster_fields={"outlier_detection": outliers, **fields}, concurrency=2)


def ask_until(world: World, wanted: dict[int, str], times: int = 1) -> None:
    """Ask, so many times between two looks, until the hosts have these flags."""

    def look() -> bool:
        for _ in range(times):
            ask(world, "/page")
        return flags(world.proxy) == wanted

    processes.wait_until(look, lambda: f"{wanted}, not {flags(world.proxy)}")


def test_failures_in_a_row_eject_for_a_while(worlds, tmp_path):
    """Counted over both workers; the second node fails too, but half of them have to stay."""
    bad, good = CheckedNode(), CheckedNode()
    ejections = tmp_path / "ejections"
    world = started_with_log(worlds, ejections, OUTLIERS, bad, good)
    bad.page, good.page = "500 x", "200 OK"
    ask_until(world, {bad.port: EJECTED, good.port: "healthy"})
    bad.page = "200 OK"
    bad.hang_up()
    wait_flags(world.proxy, "healthy", "healthy", nodes=[bad, good])
    stats = world.proxy.stats()
    assert stats[f"{PREFIX}detected_consecutive_5xx"] == stats[f"{PREFIX}enforced_consecutive_5xx"] >= 1
    assert stats[f"{PREFIX}active"] == 0
    processes.wait_until(lambda: len(ejections.read_text().splitlines()) >= 2, "both events are written")
    events = [json.loads(line) for line in ejections.read_text().splitlines()]
    assert {event["upstream_url"] for event in events} == {f"127.0.0.1:{bad.port}"}
    assert [TIMES.sub("*", json.dumps(event)) for event in events[:2]] == [
        '{"type": "CONSECUTIVE_5XX", "timestamp": "*", "cluster_name": "backend", '
        f'"upstream_url": "127.0.0.1:{bad.port}", "action": "EJECT", "num_ejections": 1, "enforced": true, '
        '"eject_consecutive_event": {}}',
        '{"type": "CONSECUTIVE_5XX", "timestamp": "*", "secs_since_last_action": "*", "cluster_name": "backend", '
        f'"upstream_url": "127.0.0.1:{bad.port}", "action": "UNEJECT", "num_ejections": 1, "enforced": false}}',
    ]


def test_an_ejected_node_gets_nothing(worlds):
    bad, good = CheckedNode(), CheckedNode()
    bad.page, good.page = "502 x", "200 OK"
    world = started(worlds, ENDLESS, bad, good)
    ask_until(world, {bad.port: EJECTED, good.port: "healthy"})
    processes.wait_until(lambda: {node_of(ask(world, "/page")) for _ in range(8)} == {good.port}, "it gets nothing")
    good.page = "500 x"
    good.hang_up()
    processes.wait_until(
        lambda: ask(world, "/page") and world.proxy.stats()[f"{PREFIX}overflow"] > 0, "one more would be too many"
    )
    assert flags(world.proxy)[good.port] == "healthy"


def test_a_node_that_nobody_can_connect_to(worlds):
    gone, good = CheckedNode(), CheckedNode()
    good.page = "200 OK"
    world = started(worlds, ENDLESS, gone, good)
    gone.listener.close()
    gone.hang_up()
    ask_until(world, {gone.port: EJECTED, good.port: "healthy"})


@pytest.mark.departure("Envoy counts each end of a WebSocket that is no clean one")
def test_websockets_that_end_badly_are_no_failures(worlds):
    nodes = CheckedNode(), CheckedNode()
    world = started(worlds, {**ENDLESS, "consecutive_5xx": 1, "consecutive_gateway_failure": 1}, *nodes)
    for _ in range(8):
        client = world.client() << handshake(b"/page")
        client.read_head()
        for node in nodes:
            node.hang_up()
        client.read_to_end()
        client.reset()
    stats = world.proxy.stats()
    assert [stats[f"{PREFIX}{name}"] for name in ("active", "overflow", "detected_consecutive_5xx")] == [0, 0, 0]


def test_a_check_that_passes_brings_an_ejected_node_back(worlds):
    bad, good = CheckedNode(), CheckedNode()
    bad.page, good.page = "500 x", "200 OK"
    world = started(worlds, ENDLESS, bad, good, health_checks=[CHECK])
    name = f"{PREFIX}enforced_total"
    processes.wait_until(lambda: ask(world, "/page") and world.proxy.stats()[name] > 0, "it is ejected")
    bad.page = "200 OK"
    bad.hang_up()
    wait_flags(world.proxy, "healthy", "healthy", nodes=[bad, good])


def test_a_rate_of_failures(worlds):
    """Never three in a row, and too many all the same."""
    bad, good = CheckedNode(), CheckedNode()
    bad.page, good.page = "500 x", "200 OK"
    rules = {
        "consecutive_5xx": 1000,
        "interval": "0.3s",
        "base_ejection_time": "300s",
        "max_ejection_percent": 50,
        "enforcing_failure_percentage": 100,
        "failure_percentage_minimum_hosts": 2,
        "failure_percentage_request_volume": 3,
    }
    world = started(worlds, rules, bad, good)
    ask_until(world, {bad.port: EJECTED, good.port: "healthy"}, times=20)
    assert world.proxy.stats()[f"{PREFIX}enforced_failure_percentage"] == 1
