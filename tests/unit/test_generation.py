"""From one configuration to the next, as the supervisor sees it."""

from fastproxy.generation import SPARE_HOSTS, Generation
from fastproxy.listening import Listening
from fastproxy.model import Address, Cluster, ClusterType, Configuration, Host
from fastproxy.stats import StatsLayout

LIMIT = 1 << 20


def hosts(*ports: int) -> tuple[Host, ...]:
    return tuple(Host(Address("127.0.0.1", port)) for port in ports)


def of(*clusters: Cluster) -> Configuration:
    return Configuration(clusters=clusters)


def first(*clusters: Cluster) -> Generation:
    return Generation.first(of(*clusters), Listening(), StatsLayout(of(*clusters)))


def after(generation: Generation, *clusters: Cluster) -> Generation:
    return generation.next(of(*clusters), Listening(), lambda scope: True, LIMIT)


def slots(generation: Generation, cluster: int = 0) -> dict[int, int]:
    return {host.address.port: host.slot for host in generation.resolved().clusters[cluster].hosts}


def test_hosts_that_stay_keep_their_slots():
    one = first(Cluster("c", hosts=hosts(1, 2, 3)))
    assert slots(one) == {1: 0, 2: 1, 3: 2}
    two = after(one, Cluster("c", hosts=hosts(3, 4)))
    assert slots(two) == {3: 2, 4: 3}
    assert slots(after(two, Cluster("c", hosts=hosts(1, 2, 3)))) == {1: 0, 2: 1, 3: 2}
    assert two.number == 2


def test_a_generation_that_is_not_used_leaves_no_trace():
    one = first(Cluster("c", hosts=hosts(1, 2)))
    after(one, Cluster("c", hosts=hosts(7, 8, 9)))
    assert slots(after(one, Cluster("c", hosts=hosts(5, 2)))) == {5: 2, 2: 1}


def test_hosts_that_went_are_forgotten_in_the_end():
    generation = first(Cluster("c", hosts=hosts(1)))
    for port in range(2, 200):
        generation = after(generation, Cluster("c", hosts=hosts(port)))
    assert generation.layout.host_capacity("c") == 1 + SPARE_HOSTS


def test_a_dns_cluster_that_is_the_same_keeps_its_answers():
    dns = Cluster("d", ClusterType.STRICT_DNS, hosts=(Host(Address("name", 80)),))
    one = first(dns, Cluster("c"))
    one.resolvers["d"].succeed("name", ("10.0.0.1",))
    two = after(one, dns)
    assert two.resolvers["d"] is one.resolvers["d"]
    assert [host.address.host for host in two.resolved().clusters[0].hosts] == ["10.0.0.1"]


def test_a_dns_cluster_that_was_changed_asks_anew_and_keeps_slots():
    one = first(Cluster("d", ClusterType.STRICT_DNS, hosts=(Host(Address("name", 80)), Host(Address("10.0.0.2", 80)))))
    one.resolvers["d"].succeed("name", ("10.0.0.1",))
    before = {host.address.host: host.slot for host in one.resolved().clusters[0].hosts}
    two = after(one, Cluster("d", ClusterType.STRICT_DNS, hosts=(Host(Address("10.0.0.2", 80)),)))
    assert two.resolvers["d"] is not one.resolvers["d"]
    assert {host.address.host: host.slot for host in two.resolved().clusters[0].hosts} == {
        "10.0.0.2": before["10.0.0.2"]
    }


def test_a_cluster_may_become_a_static_one():
    one = first(Cluster("d", ClusterType.STRICT_DNS, hosts=(Host(Address("name", 80)),)))
    two = after(one, Cluster("d", hosts=hosts(1, 2)))
    assert two.resolvers == {}
    assert slots(two) == {1: 0, 2: 1}
