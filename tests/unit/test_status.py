"""What the supervisor knows, as statistics."""

import pytest

from fastproxy.model import Address, Cluster, ClusterType, Configuration, HealthStatus, Host
from fastproxy.resolver import ClusterResolver
from fastproxy.status import ServerState, version_number
from tests.unit.admin_status import Server


def values(server: Server) -> dict[str, int]:
    return {each.name: each.value for each in server.status.statistics()}


@pytest.mark.parametrize(("version", "number"), [("0.1.0", 100), ("1.2.3", 10203), ("2.0.0.dev1", 20000)])
def test_the_version_is_a_number(monkeypatch, version, number):
    monkeypatch.setattr("fastproxy.status.__version__", version)
    assert version_number() == number


@pytest.mark.parametrize(
    ("state", "live", "number", "active", "draining"),
    [(ServerState.LIVE, 1, 0, 1, 0), (ServerState.DRAINING, 0, 1, 0, 1), (ServerState.INITIALIZING, 0, 3, 1, 0)],
)
def test_states_have_envoys_numbers(state, live, number, active, draining):
    server = Server()
    server.status.state = state
    found = values(server)
    assert (found["server.live"], found["server.state"]) == (live, number)
    assert found["listener_manager.total_listeners_active"] == active
    assert found["listener_manager.total_listeners_draining"] == draining


def test_each_name_comes_once():
    statistics = Server().status.statistics()
    assert len({each.name for each in statistics}) == len(statistics)


def test_a_dns_cluster_tells_of_its_lookups():
    cluster = Cluster("names:1", ClusterType.STRICT_DNS, hosts=(Host(Address("a", 1)),))
    server = Server(Configuration((), (cluster,)))
    resolver = ClusterResolver(cluster, 9)
    resolver.attempts = 3
    resolver.succeed("a", ("1.1.1.1",))
    resolver.fail("a", OSError("x"))
    server.status.resolvers = [resolver]
    server.status.configuration = Configuration((), (Cluster("names:1", hosts=resolver.hosts),))
    found = values(server)
    scope = "cluster.names_1"
    assert [found[f"{scope}.update_{name}"] for name in ("attempt", "success", "failure")] == [3, 1, 1]
    assert (found[f"{scope}.membership_total"], found[f"{scope}.membership_change"]) == (1, 1)


def test_hosts_by_health_under_the_name_for_statistics():
    hosts = tuple(Host(Address("1.1.1.1", 1), health_status=status) for status in HealthStatus)
    found = values(Server(Configuration((), (Cluster("c", hosts=hosts, alt_stat_name="o"),))))
    kinds = ("total", "healthy", "degraded", "excluded")
    assert [found[f"cluster.o.membership_{kind}"] for kind in kinds] == [6, 2, 1, 1]
    assert found["cluster.o.lb_healthy_panic"] == 0
    assert not any(name.startswith("cluster.c.") for name in found)
