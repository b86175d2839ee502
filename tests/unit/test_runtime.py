"""A configuration made ready for one worker."""

from dataclasses import replace

import pytest

from fastproxy._sessions import region_bytes
from fastproxy.counters import HostCounter
from fastproxy.model import AccessLog, Address, Cluster, Configuration, Host, LbPolicy, LeastRequestConfig
from fastproxy.runtime import Runtime, milliseconds
from fastproxy.stats import StatsLayout
from tests.unit.engine_world import configuration

ADDRESSES = [Address("127.0.0.1", 1), Address("127.0.0.1", 2)]


def runtime_of(model: Configuration, sessions: memoryview | None = None) -> Runtime:
    layout = StatsLayout(model)
    return Runtime(model, layout, memoryview(bytearray(8 * layout.slots)).cast("Q"), sessions, bytes(16))


def test_clusters_and_managers():
    runtime = runtime_of(configuration(ADDRESSES))
    assert list(runtime.clusters) == ["backend"]
    assert [host.address for host in runtime.clusters["backend"].hosts] == [b"127.0.0.1:1", b"127.0.0.1:2"]
    (manager,) = runtime.managers
    route = manager.routes.route(b"example.com", b"/")
    assert route is not None
    assert route.model.cluster == "backend"


def test_sessions():
    assert runtime_of(configuration(ADDRESSES)).sessions is None
    table = runtime_of(configuration(ADDRESSES), memoryview(bytearray(region_bytes(1024)))).sessions
    assert table is not None
    assert table.put(b"a", 7, 1, 10) == 0
    assert table.get(b"a", 2) == 7


def test_sweeping_sessions():
    assert runtime_of(configuration(ADDRESSES)).sweep(100) == 0
    runtime = runtime_of(configuration(ADDRESSES), memoryview(bytearray(region_bytes(1024))))
    assert runtime.sessions is not None
    runtime.sessions.put(b"a", 7, 1, 10)
    assert sum(runtime.sweep(11) for _ in range(60)) == 1
    assert runtime.sessions.counts() == {}


@pytest.mark.parametrize(("limit_kb", "expected"), [(8, 80 * 1024), (60, 80 * 1024), (96, 96 * 1024)])
def test_the_largest_head(limit_kb, expected):
    """A response's head may always have 80 KiB."""
    assert runtime_of(configuration(ADDRESSES, manager={"max_request_headers_kb": limit_kb})).max_head_bytes == expected


def test_access_logs(tmp_path):
    logs = (AccessLog(str(tmp_path / "a.log")), AccessLog(str(tmp_path / "b.log")))
    runtime = runtime_of(configuration(ADDRESSES, manager={"access_logs": logs}))
    assert runtime.access_logs == runtime.managers[0].access_logs
    assert len(runtime.access_logs) == 2
    for log in runtime.access_logs:
        log.close()


def test_a_route_to_a_cluster_that_is_not_there():
    model = configuration(ADDRESSES, configuration={"clusters": (Cluster("other", lb_policy=LbPolicy.RANDOM),)})
    with pytest.raises(KeyError):
        runtime_of(model)


@pytest.mark.parametrize(("seconds", "expected"), [(None, 0), (0, 0), (0.0001, 1), (0.25, 250), (3600.0, 3_600_000)])
def test_milliseconds(seconds, expected):
    assert milliseconds(seconds) == expected


def test_a_host_is_the_models():
    host = Host(Address("127.0.0.1", 9), weight=3)
    runtime = runtime_of(configuration([], cluster={"hosts": (host,)}))
    assert runtime.clusters["backend"].hosts[0].model == host


def test_requests_and_sessions_of_other_workers_count():
    model = configuration(
        ADDRESSES,
        cluster={"lb_policy": LbPolicy.LEAST_REQUEST, "least_request": LeastRequestConfig(full_scan=True)},
    )
    layout = StatsLayout(model)
    rows = [memoryview(bytearray(8 * 8 * layout.slots)).cast("Q") for _ in range(3)]
    table = memoryview(bytearray(region_bytes(1024)))
    first = Runtime(model, layout, rows[0], table, bytes(16), rows=rows)
    renamed = replace(model, clusters=(replace(model.clusters[0], connect_timeout_s=7),))
    for runtime in (first, first.next(renamed, layout)):
        cluster = runtime.clusters["backend"]
        assert runtime.sessions is not None
        for busy, idle in ((0, 1), (1, 0)):
            requests = layout.host("backend", busy) + HostCounter["host_rq_active"]
            tunnels = layout.host("backend", busy) + HostCounter["host_ws_active"]
            rows[2][requests] = rows[1][tunnels] = 1
            assert {cluster.balancer.pick() for _ in range(20)} == {idle}
            assert {cluster.placement.pick(cluster.balancer, runtime.sessions) for _ in range(20)} == {idle}
            rows[2][requests] = rows[1][tunnels] = 0
    assert first.clusters["backend"] is not first.next(renamed, layout).clusters["backend"]
