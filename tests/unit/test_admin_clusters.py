"""`/clusters` line by line as Envoy recorded it, fed with what Envoy had counted."""

import pytest

from fastproxy.admin.clusters import clusters
from fastproxy.counters import HostCounter
from fastproxy.model import (
    UNLIMITED,
    Address,
    CircuitBreakers,
    Cluster,
    ClusterType,
    Configuration,
    HealthStatus,
    Host,
    Locality,
    Thresholds,
)
from fastproxy.session_stats import SHOWN
from tests.unit.admin_status import Server


@pytest.fixture
def server(golden):
    """A server that has counted what the recorded Envoy had."""
    served = Server()
    for line in (golden / "admin" / "clusters.txt").read_text().splitlines():
        cluster, address, *rest = line.split("::")
        if len(rest) == 2 and f"host_{rest[0]}" in HostCounter.__members__:
            hosts = next(each.hosts for each in served.status.configuration.clusters if each.name == cluster)
            index = [str(each.address) for each in hosts].index(address)
            served.set_host(cluster, index, rest[0], int(rest[1]))
    return served


def envoys(text: str) -> list[str]:
    """The lines without those that Envoy does not have."""
    ours = {"sid_live", "sid_live_most", "sid_live_least", *SHOWN}
    return [line for line in text.splitlines() if line.split("::")[-2] not in ours]


def as_ours(text: str) -> list[str]:
    """The recorded lines. A threshold that the file does not say is 1024 there, and here more than can be reached."""
    return text.replace("::1024\n", f"::{UNLIMITED}\n").splitlines()


def test_as_envoy(server, golden):
    """Envoy orders clusters by a hash of its own; we keep the file's order. It also checked health, which we do not."""
    recorded = as_ours((golden / "admin" / "clusters.txt").read_text().replace("/failed_active_hc", "healthy"))
    order = ["backend", "checked", "refused"]
    recorded.sort(key=lambda line: order.index(line.split("::")[0]))
    assert envoys(clusters(server.status, {}).text) == recorded


def test_one_cluster_as_envoy(server, golden):
    recorded = as_ours((golden / "admin" / "clusters_filter_backend.txt").read_text())
    assert envoys(clusters(server.status, {"filter": "backend"}).text) == recorded


def test_sessions(server):
    server.set_host("checked", 0, "ws_active", 4)
    server.set_host("checked", 1, "sid_opened_polling", 7)
    server.status.live_at = lambda address: 2 if address.port == 8002 else 1
    lines = clusters(server.status, {"filter": "checked"}).text.splitlines()
    assert {
        "checked::sid_live::7",
        "checked::sid_live_most::4",
        "checked::sid_live_least::2",
        "checked::127.0.0.1:8002::sid_live::6",
        "checked::127.0.0.1:8002::ws_active::4",
        "checked::127.0.0.1:18199::sid_live::1",
        "checked::127.0.0.1:18199::sid_opened_polling::7",
    } <= set(lines)


def test_circuit_breakers():
    breakers = CircuitBreakers(Thresholds(1, 2, 3, 4), Thresholds(max_retries=0))
    status = Server(Configuration(clusters=(Cluster("limited", circuit_breakers=breakers),), listeners=())).status
    lines = clusters(status, {}).text.splitlines()[1:9]
    names = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    default = [f"limited::default_priority::{name}::{value}" for name, value in zip(names, (1, 2, 3, 4), strict=True)]
    high = zip(names, (UNLIMITED, UNLIMITED, UNLIMITED, 0), strict=True)
    assert lines == default + [f"limited::high_priority::{name}::{value}" for name, value in high]


def test_a_wrong_filter(server):
    reply = clusters(server.status, {"filter": "("})
    assert reply.status == 400
    assert reply.text.startswith("Invalid re2 regex: ")


def test_a_host_of_dns_is_read_where_it_counts():
    cluster = Cluster("names", ClusterType.STRICT_DNS, hosts=(Host(Address("1.1.1.1", 1), slot=200),))
    server = Server(Configuration((), (cluster,)))
    server.set_host("names", 200, "rq_total", 9)
    assert "names::1.1.1.1:1::rq_total::9\n" in clusters(server.status, {}).text


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (HealthStatus.UNKNOWN, "healthy"),
        (HealthStatus.HEALTHY, "healthy"),
        (HealthStatus.UNHEALTHY, "/failed_eds_health"),
        (HealthStatus.TIMEOUT, "/failed_eds_health"),
        (HealthStatus.DRAINING, "/eds_status_draining"),
        (HealthStatus.DEGRADED, "/degraded_eds_health"),
    ],
)
def test_health_priority_and_locality(status, flags):
    host = Host(Address("1.1.1.1", 1), 3, priority=2, locality=Locality("r", "z", "s"), health_status=status)
    lines = clusters(Server(Configuration((), (Cluster("c", hosts=(host,), alt_stat_name="o"),))).status, {}).text
    assert "c::observability_name::o\n" in lines
    wanted = {"health_flags": flags, "weight": 3, "region": "r", "zone": "z", "sub_zone": "s", "priority": 2}
    for name, value in wanted.items():
        assert f"c::1.1.1.1:1::{name}::{value}\n" in lines


def test_canaries():
    hosts = tuple(Host(Address("1.1.1.1", port), is_canary=port == 2) for port in (1, 2))
    lines = clusters(Server(Configuration((), (Cluster("c", hosts=hosts),))).status, {}).text
    assert "c::1.1.1.1:1::canary::false\n" in lines
    assert "c::1.1.1.1:2::canary::true\n" in lines
