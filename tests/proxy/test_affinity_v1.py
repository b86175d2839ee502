"""Sessions behind a v1 file of 2017 whose ring hashes a misspelt header: the `sid` keeps them all the same."""

import pytest

from tests.proxy.test_affinity import SESSIONS, assert_sticks, open_session
from tests.support import processes
from tests.support.adversary import Node
from tests.support.engine_io import ask, engine_io, node_of
from tests.support.proxies import Json, World, Worlds

pytestmark = pytest.mark.departure("Envoy reads no v1 any more")
POLL = "/socket.io/?EIO=4&transport=polling&sid="


def file(nodes: list[Node], *ours: Json) -> Json:
    """A ring of the nodes, hashed on a header that no client sends."""
    port, admin_port = processes.free_ports(2)
    routes = [{"prefix": "/", "cluster": "app", "use_websocket": True, "hash_policy": {"header_name": "referrer"}}]
    manager = {
        "codec_type": "auto",
        "stat_prefix": "ingress_http",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "filters": [*ours, {"type": "decoder", "name": "router", "config": {}}],
    }
    hosts = [{"url": f"tcp://127.0.0.1:{node.port}"} for node in nodes]
    cluster = {"name": "app", "type": "static", "connect_timeout_ms": 250, "lb_type": "ring_hash", "hosts": hosts}
    filters = [{"type": "read", "name": "http_connection_manager", "config": manager}]
    return {
        "listeners": [{"address": f"tcp://127.0.0.1:{port}", "filters": filters}],
        "admin": {"access_log_path": "/dev/null", "address": f"tcp://127.0.0.1:{admin_port}"},
        "cluster_manager": {"clusters": [cluster]},
    }


def cluster_of(worlds: Worlds, *ours: Json) -> World:
    nodes = [Node(engine_io()) for _ in range(3)]
    return worlds.run_file(file(nodes, *ours), nodes, concurrency=2)


def test_sessions_stay(worlds: Worlds) -> None:
    world = cluster_of(worlds)
    opened = [open_session(world) for _ in range(SESSIONS)]
    assert len({node for _, node in opened}) > 1
    for sid, node in opened:
        assert_sticks(world, sid, node)


def test_with_sid_affinity_off_they_do_not(worlds: Worlds) -> None:
    """As little as behind Envoy: two of three requests go to nodes that do not know the session."""
    world = cluster_of(worlds, {"type": "decoder", "name": "fastproxy", "config": {"sid_affinity": False}})
    sid, home = open_session(world)
    answers = [ask(world, POLL + sid) for _ in range(40)]
    assert {node_of(answer) == home for answer in answers} == {True, False}
    assert {answer.status for answer in answers} == {200, 400}
