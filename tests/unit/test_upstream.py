"""A cluster's hosts: who stays, who goes, and where each one counts."""

import socket

import pytest

from fastproxy.model import Address, Cluster, ClusterType, Configuration, Host, LbPolicy
from fastproxy.stats import StatsLayout
from fastproxy.upstream import Cluster as UpstreamCluster
from fastproxy.upstream import Host as UpstreamHost
from fastproxy.upstream import is_ip

A, B, C = (Host(Address("127.0.0.1", port)) for port in (1, 2, 3))


def cluster(*hosts: Host, type: ClusterType = ClusterType.STATIC) -> UpstreamCluster:
    model = Cluster("c", type=type, hosts=hosts, lb_policy=LbPolicy.ROUND_ROBIN)
    layout = StatsLayout(Configuration(clusters=(model,)))
    return UpstreamCluster(model, layout, memoryview(bytearray(8 * layout.slots)).cast("Q"))


def test_the_hosts_of_the_file():
    found = cluster(A, Host(Address("::1", 2)))
    assert [host.address for host in found.hosts] == [b"127.0.0.1:1", b"[::1]:2"]
    assert [host.slot for host in found.hosts] == [0, 1]
    assert found.balancer.size == 2
    assert found.name == b"c"


def test_names_become_hosts_only_once_they_are_resolved():
    found = cluster(Host(Address("localhost", 1)), type=ClusterType.STRICT_DNS)
    assert found.hosts == []
    assert found.balancer.pick() == -1
    assert found.set_hosts([A]) == []
    assert [host.address for host in found.hosts] == [b"127.0.0.1:1"]
    assert found.balancer.pick() == 0


def test_who_stays_keeps_its_state_and_its_slot():
    found = cluster(type=ClusterType.STRICT_DNS)
    found.set_hosts([A, B])
    first, second = found.hosts
    gone = found.set_hosts([B, C])
    assert gone == [first]
    assert first.removed
    assert found.hosts[0] is second
    assert not second.removed
    assert second.slot == 1
    assert found.hosts[1].slot != 1
    assert len(found.set_hosts([])) == 2
    assert found.hosts == []


def departed(found: UpstreamCluster) -> list[str]:
    return [address for _, address, _ in found.departures]


def test_who_left_is_remembered():
    found = cluster(type=ClusterType.STRICT_DNS)
    found.set_hosts([A, B, C])
    found.set_hosts([B])
    assert departed(found) == ["127.0.0.1:1", "127.0.0.1:3"]
    digest, address, at_ms = found.departures[0]
    assert found.departure_of(digest) == (address, at_ms)
    assert found.departure_of(digest ^ 1) is None


def test_the_last_time_counts():
    found = cluster(type=ClusterType.STRICT_DNS)
    for _ in range(2):
        found.set_hosts([A])
        found.set_hosts([])
    (digest, _, _), (_, address, at_ms) = found.departures
    assert found.departure_of(digest) == (address, at_ms)


def test_only_the_last_ones_are():
    found = cluster(type=ClusterType.STRICT_DNS)
    for port in range(1, 301):
        found.set_hosts([Host(Address("127.0.0.1", port))])
    assert departed(found) == [f"127.0.0.1:{port}" for port in range(44, 300)]


def test_a_cluster_that_takes_the_place_of_another_knows_who_left_with_it():
    found = cluster(type=ClusterType.STRICT_DNS)
    found.set_hosts([A, B])
    found.set_hosts([B])
    successor = cluster(C)
    successor.inherit(found)
    assert departed(successor) == ["127.0.0.1:1", "127.0.0.1:2"]


def test_other_hosts_are_another_set():
    found = cluster(A, type=ClusterType.STRICT_DNS)
    before = found.host_set
    found.set_hosts([A, B])
    assert found.host_set != before


def test_a_weight_that_changes():
    found = cluster(type=ClusterType.STRICT_DNS)
    found.set_hosts([A, B])
    before = found.hosts[1]
    found.set_hosts([A, Host(B.address, weight=3)])
    assert found.hosts[1] is before
    assert [found.balancer.pick() for _ in range(4)].count(1) == 3


def test_the_slots_of_the_resolver_are_kept():
    """Every worker has to count a host where the others do."""
    found = cluster(type=ClusterType.STRICT_DNS)
    found.set_hosts([Host(A.address, slot=7), Host(B.address, slot=3)])
    assert [host.slot for host in found.hosts] == [7, 3]


def test_more_hosts_than_counters():
    many = [Host(Address("127.0.0.1", port)) for port in range(1, 21)]
    found = cluster(type=ClusterType.LOGICAL_DNS)
    found.set_hosts(many)
    assert len(found.hosts) == found.balancer.size == 8
    assert sorted(host.slot for host in found.hosts) == list(range(8))


@pytest.mark.parametrize(
    ("text", "answer"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:1.2.3.4", True), ("localhost", False), ("1.2.3", False), ("", False)],
)
def test_is_ip(text, answer):
    assert is_ip(text) == answer


def test_a_host_is_an_ip_address():
    with pytest.raises(ValueError, match="not an IP address: localhost"):
        UpstreamHost(Host(Address("localhost", socket.IPPROTO_TCP)))


def test_hosts_on_unix_sockets_stay_when_a_cluster_goes_on():
    on_socket = Host(Address("", 0, path="/run/node.sock"))
    one = cluster(on_socket)
    layout = StatsLayout(Configuration(clusters=(one.model,)))
    assert one.become(one.model, layout) == []
    assert [host.model for host in one.hosts] == [on_socket]
