"""Connections that stand while the configuration changes under them."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fastproxy.model import AccessLog, Address, Cluster, Configuration, Host, Listener, Route, RouteMatch
from fastproxy.runtime import Runtime
from tests.unit.engine_world import Node, Peer, World, configuration, field, get, handshake, ok, switching


@pytest.fixture
def world() -> Iterator[World]:
    made = World(2)
    yield made
    made.close()


def to_cluster(world: World, number: int, **settings) -> Configuration:
    """A configuration with a cluster for each node, all requests going to that one."""
    clusters = tuple(Cluster(f"c{i}", hosts=(Host(node.address),)) for i, node in enumerate(world.nodes))
    return configuration([], route={"cluster": f"c{number}"}, configuration={"clusters": clusters}, **settings)


def answer(node: Peer, body: bytes = b"hello") -> bytes:
    """Answer the next request; its head."""
    head = node.head()
    node.send(ok(body))
    return head


def tunnel(world: World, node: Node) -> tuple[Peer, Peer]:
    client = world.client().send(handshake())
    upstream = node.accept()
    upstream.head()
    upstream.send(switching())
    client.head()
    return client, upstream


def test_the_next_request_of_a_connection_takes_the_new_route(world):
    world.reload(to_cluster(world, 0))
    client = world.client().send(get("/one"))
    answer(world.nodes[0].accept(), b"a")
    assert client.response() == (200, b"a")
    world.reload(to_cluster(world, 1))
    client.send(get("/two"))
    answer(world.nodes[1].accept(), b"b")
    assert client.response() == (200, b"b")


def test_an_exchange_under_way_ends_where_it_began(world):
    world.reload(to_cluster(world, 0))
    client = world.client().send(get("/one"))
    node = world.nodes[0].accept()
    node.head()
    world.reload(to_cluster(world, 1, manager={"server_name": "new"}))
    client.send(get("/two"))
    node.send(ok(b"old"))
    head = client.head()
    assert field(head, b"server") == b"envoy"
    assert client.take(3) == b"old"
    answer(world.nodes[1].accept(), b"new")
    assert field(client.head(), b"server") == b"new"
    assert client.take(3) == b"new"


def test_an_exchange_outlives_two_reloads_and_its_connection_gets_the_last_manager(world):
    client, node = world.ask(get("/one"))
    node.head()
    for name in ("second", "third"):
        world.change(manager={"server_name": name})
    node.send(ok())
    assert field(client.head(), b"server") == b"envoy"
    client.take(5)
    client.send(get("/two"))
    answer(world.nodes[1].accept())
    assert field(client.head(), b"server") == b"third"


def test_a_body_under_way_is_not_cut(world):
    client = world.client().send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n12345")
    node = world.nodes[0].accept()
    node.head()
    world.change(route={"timeout_s": 1.0}, cluster={"connect_timeout_s": 1.0})
    client.send(b"67890")
    assert node.take(10) == b"1234567890"
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n54321")
    world.change(route={"timeout_s": 2.0}, cluster={"connect_timeout_s": 2.0})
    node.send(b"09876")
    assert client.response() == (200, b"5432109876")


def test_a_tunnel_lives_over_ten_reloads(world):
    client, node = tunnel(world, world.nodes[0])
    for number in range(10):
        client.send(b"a%d" % number)
        world.reload(to_cluster(world, number % 2, manager={"stat_prefix": f"p{number % 3}"}))
        node.send(b"b%d" % number)
    assert node.take(20) == b"".join(b"a%d" % number for number in range(10))
    assert client.take(20) == b"".join(b"b%d" % number for number in range(10))
    assert world.engine.tunnels == 1


def test_half_a_head_is_completed_under_the_new_configuration(world):
    client = world.client().send(b"GET / HTTP/1.1\r\nho")
    world.settle()
    world.reload(to_cluster(world, 1))
    client.send(b"st: a\r\n\r\n")
    answer(world.nodes[1].accept())
    assert client.response() == (200, b"hello")


def test_kept_connections_of_a_cluster_that_did_not_change_are_used_on(world):
    client, node = world.ask(get())
    answer(node)
    client.response()
    world.change(route={"host_rewrite": "other"}, cluster={"hosts": (world.configuration.clusters[0].hosts[0],)})
    client.send(get())
    assert field(answer(node), b"host") == b"other"
    assert client.response() == (200, b"hello")


def test_kept_connections_go_to_the_changed_cluster_s_host_of_that_address():
    world = World(1)
    client, node = world.ask(get())
    answer(node)
    client.response()
    world.change(cluster={"connect_timeout_s": 9.0})
    client.send(get())
    answer(node)
    assert client.response() == (200, b"hello")
    assert world.host(0)["cx_total"] == 1
    world.close()


def test_kept_connections_to_hosts_that_went_are_closed():
    world = World(1)
    other = Node(world)
    client, node = world.ask(get())
    answer(node)
    client.response()
    world.reload(configuration([other.address]))
    assert node.end() == b""
    client.send(get())
    answer(other.accept())
    assert client.response() == (200, b"hello")
    other.stop()
    world.close()


def test_a_connection_in_use_is_closed_behind_its_exchange_when_its_host_went():
    world = World(1)
    other = Node(world)
    client, node = world.ask(get())
    node.head()
    world.reload(configuration([other.address], cluster={"connect_timeout_s": 9.0}))
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert node.end() == b""
    other.stop()
    world.close()


def test_gauges_move_to_the_new_prefix(world):
    world.client()
    world.settle()
    assert value(world, "http.test.downstream_cx_active") == 1
    world.change(manager={"stat_prefix": "other"})
    assert value(world, "http.other.downstream_cx_active") == 1
    assert value(world, "http.other.downstream_cx_total") == 0
    assert "http.test.downstream_cx_active" not in values(world)


def test_a_tunnel_counts_where_it_began(world):
    client, node = tunnel(world, world.nodes[0])
    world.change(manager={"stat_prefix": "other"})
    assert value(world, "http.test.downstream_cx_upgrades_active") == 1
    assert value(world, "http.test.downstream_cx_active") == 1
    client.close()
    node.close()
    world.until(lambda: world.engine.tunnels == 0)
    assert "http.test.downstream_cx_active" not in values(world)


def values(world: World) -> dict[str, int]:
    from fastproxy.stats import StatsReader

    return {each.name: each.value for each in StatsReader(world.layout, [world.row]).statistics()}


def value(world: World, name: str) -> int:
    return values(world)[name]


def test_the_idle_timeout_of_a_waiting_connection_changes(world):
    client = world.client()
    world.settle()
    world.change(manager={"idle_timeout_s": 0.05})
    assert client.end() == b""


def without_listener(world: World) -> Configuration:
    elsewhere = Listener("other", Address("127.0.0.2", 2), world.configuration.listeners[0].manager)
    return replace(world.configuration, listeners=(elsewhere,))


def test_connections_of_a_listener_that_went_have_one_last_request(world):
    client = world.client()
    world.settle()
    world.reload(without_listener(world), {})
    client.send(get())
    answer(world.nodes[0].accept())
    head = client.head()
    assert field(head, b"connection") == b"close"
    client.take(5)
    assert client.end() == b""


def test_an_exchange_of_a_listener_that_went_ends_and_closes(world):
    client, node = world.ask(get())
    node.head()
    world.reload(without_listener(world), {})
    world.reload(replace(without_listener(world), clusters=world.configuration.clusters), {})
    node.send(ok())
    assert field(client.head(), b"connection") == b"close"
    client.take(5)
    assert client.end() == b""


def test_a_response_that_began_on_a_listener_that_went_is_complete(world):
    client, node = world.ask(get())
    node.head()
    node.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe")
    client.head()
    world.change(manager={"drain_timeout_s": 0.01})
    world.reload(without_listener(world), {})
    node.send(b"llo")
    assert client.take(5) == b"hello"
    assert client.end() == b""


def test_who_waits_to_be_accepted_when_a_listener_goes_is_served(world):
    client = world.client().send(get())
    world.reload(without_listener(world), {})
    answer(world.nodes[0].accept())
    assert client.response() == (200, b"hello")


def test_a_tunnel_of_a_listener_that_went_stays(world):
    client, node = tunnel(world, world.nodes[0])
    world.reload(without_listener(world), {})
    client.send(b"still")
    assert node.take(5) == b"still"


def test_a_log_of_the_same_path_and_format_stays_open(world, tmp_path):
    log = AccessLog(str(tmp_path / "a.log"), "%PROTOCOL%\n")
    world.change(manager={"access_logs": (log,)})
    before = world.runtime.access_logs
    world.change(manager={"access_logs": (log, AccessLog(str(tmp_path / "b.log")))})
    assert world.runtime.access_logs[0] is before[0]
    assert len(world.engine.access_logs) == 2


def test_a_tunnel_s_line_goes_to_the_log_that_it_began_with(world, tmp_path):
    log = AccessLog(str(tmp_path / "a.log"), "%RESPONSE_CODE%\n")
    world.change(manager={"access_logs": (log,)})
    client, node = tunnel(world, world.nodes[0])
    world.change()
    assert len(world.engine.access_logs) == 1
    client.close()
    node.close()
    world.until(lambda: world.engine.tunnels == 0)
    world.engine.flush_logs()
    assert (tmp_path / "a.log").read_text() == "101\n"
    assert world.engine.access_logs == []


def test_larger_heads_fit_after_a_reload_that_allows_them(world):
    world.change(manager={"max_request_headers_kb": 96})
    client = world.client().send(get("/", "x: " + "y" * 90000))
    head = answer(world.nodes[0].accept())
    assert len(head) > 90000
    assert client.response() == (200, b"hello")


def test_what_is_prepared_and_abandoned_changes_nothing(world):
    world.engine.prepare(to_cluster(world, 1), world.layout.extended(to_cluster(world, 1), {}, bool, len(world.row)))
    world.engine.abandon()
    client, node = world.ask(get())
    answer(node)
    assert client.response() == (200, b"hello")
    assert world.engine.runtime is world.runtime


def test_old_runtimes_are_freed_without_a_collection(world):
    """By counting references alone: a hundred reloads, a tunnel and an exchange from before the first of them."""
    gc.disable()
    try:
        client, _ = tunnel(world, world.nodes[0])
        asking = world.client().send(get())
        node = world.nodes[1].accept()
        node.head()
        runtimes: list[weakref.ref[Runtime]] = []
        clusters, managers = [], []
        for number in range(100):
            world.reload(to_cluster(world, number % 2))
            world.change(cluster={"connect_timeout_s": 1.0 + number}, manager={"server_name": f"n{number}"})
            runtimes.append(weakref.ref(world.runtime))
            clusters.append(weakref.ref(world.runtime.clusters["backend"]))
            managers.append(weakref.ref(world.runtime.managers[0]))
        assert [each for each in runtimes if each()] == [runtimes[-1]]
        assert [each for each in clusters if each()] == [clusters[-1]]
        assert [each for each in managers if each()] == [managers[-1]]
        node.send(ok())
        asking.response()
        client.send(b"x")
    finally:
        gc.enable()


def test_what_the_last_exchange_used_goes_with_it(world):
    gc.disable()
    try:
        client, node = world.ask(get())
        node.head()
        cluster, manager = weakref.ref(world.runtime.clusters["backend"]), weakref.ref(world.runtime.managers[0])
        runtime = weakref.ref(world.runtime)
        world.change(cluster={"connect_timeout_s": 1.0}, manager={"server_name": "n"})
        assert (runtime(), cluster() is None, manager() is None) == (None, False, False)
        node.send(ok())
        client.response()
        assert (cluster(), manager()) == (None, None)
    finally:
        gc.enable()


def test_a_cluster_whose_hosts_change_stays_the_same_object(world):
    before = world.runtime.clusters["backend"]
    host = before.hosts[1]
    world.change(cluster={"hosts": (Host(world.nodes[1].address), Host(Address("127.0.0.9", 9)))})
    assert world.runtime.clusters["backend"] is before
    assert before.hosts[0] is host
    assert before.model.hosts[1].address.port == 9


def test_two_routes_at_once():
    """The route table is built anew with everything in it."""
    world = World(1)
    route = world.configuration.listeners[0].manager.route_config.virtual_hosts[0].routes[0]
    blocked = Route(RouteMatch(prefix="/x"), "backend", prefix_rewrite="/y")
    hosts = replace(world.configuration.listeners[0].manager.route_config.virtual_hosts[0], routes=(blocked, route))
    manager = replace(world.configuration.listeners[0].manager, route_config=replace(
        world.configuration.listeners[0].manager.route_config, virtual_hosts=(hosts,)
    ))  # fmt: skip
    world.reload(replace(world.configuration, listeners=(replace(world.configuration.listeners[0], filter=manager),)))
    client, node = world.ask(get("/x"))
    assert answer(node).startswith(b"GET /y ")
    client.response()
    world.close()
