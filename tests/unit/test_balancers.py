"""The balancer that a cluster gets for its hosts."""

from array import array
from collections import Counter
from typing import Any

import pytest

from fastproxy._ring import Ring, xx_hash
from fastproxy.active_requests import ActiveRequests
from fastproxy.balancers import balancer_for, hash_key
from fastproxy.balancing import Balancer, LeastRequest, Random, RoundRobin
from fastproxy.hash_balancing import HashBalancer, Maglev, RingHash
from fastproxy.model import (
    Address,
    Cluster,
    HashFunction,
    HashingConfig,
    HealthConfig,
    HealthStatus,
    Host,
    LbPolicy,
    Locality,
    LocalityWeight,
    RingHashConfig,
)
from fastproxy.priorities import Localities, Priorities

KINDS = {
    LbPolicy.ROUND_ROBIN: RoundRobin,
    LbPolicy.RANDOM: Random,
    LbPolicy.LEAST_REQUEST: LeastRequest,
    LbPolicy.RING_HASH: RingHash,
    LbPolicy.MAGLEV: Maglev,
}
LETTERS = {"h": HealthStatus.HEALTHY, "d": HealthStatus.DEGRADED, "u": HealthStatus.UNHEALTHY}
A, B = Locality(zone="a"), Locality(zone="b")


def hosts(*priorities: str, **more: Any) -> list[Host]:
    found = [(priority, LETTERS[letter]) for priority, letters in enumerate(priorities) for letter in letters]
    return [
        Host(Address("127.0.0.1", 1 + i), priority=priority, health_status=status, **more)
        for i, (priority, status) in enumerate(found)
    ]


def made(everybody: list[Host], policy: LbPolicy = LbPolicy.ROUND_ROBIN, **fields: Any) -> Balancer:
    return balancer_for(Cluster("c", lb_policy=policy, **fields), everybody)


def chosen(balancer: Balancer, count: int = 500) -> set[int]:
    return {balancer.pick(xx_hash(b"%d" % number)) for number in range(count)}


@pytest.mark.parametrize("policy", LbPolicy)
def test_healthy_hosts_of_one_priority_need_the_policy_s_balancer_only(policy: LbPolicy) -> None:
    balancer = made(hosts("hhh"), policy)
    assert type(balancer) is KINDS[policy]
    assert balancer.places == [0, 1, 2]


@pytest.mark.parametrize("policy", LbPolicy)
def test_no_hosts(policy: LbPolicy) -> None:
    balancer = made([], policy)
    assert (balancer.pick(), balancer.pick(7), balancer.pick_other(7, 0, set())) == (-1, -1, -1)


@pytest.mark.parametrize("policy", LbPolicy)
def test_unhealthy_hosts_get_nothing(policy: LbPolicy) -> None:
    balancer = made(hosts("huhh"), policy)
    assert chosen(balancer) == {0, 2, 3}
    assert 1 not in balancer.places


@pytest.mark.parametrize("policy", LbPolicy)
def test_in_a_panic_everybody_gets_requests(policy: LbPolicy) -> None:
    balancer = made(hosts("huuu"), policy)
    assert isinstance(balancer, Priorities)
    assert chosen(balancer) == {0, 1, 2, 3}
    assert balancer.panics == 500


@pytest.mark.parametrize("policy", LbPolicy)
def test_nobody_gets_requests_without_panic(policy: LbPolicy) -> None:
    assert chosen(made(hosts("uuu"), policy, health=HealthConfig(panic_threshold=0))) == {-1}


@pytest.mark.parametrize("policy", [LbPolicy.ROUND_ROBIN, LbPolicy.RANDOM, LbPolicy.LEAST_REQUEST])
def test_traffic_fails_on_panic_where_that_is_wished_for(policy: LbPolicy) -> None:
    balancer = made(hosts("huuu"), policy, health=HealthConfig(fail_traffic_on_panic=True))
    assert isinstance(balancer, Priorities)
    assert chosen(balancer) == {-1}
    assert balancer.panics == 500


@pytest.mark.parametrize("policy", [LbPolicy.ROUND_ROBIN, LbPolicy.RANDOM, LbPolicy.LEAST_REQUEST])
def test_degraded_hosts_take_what_the_healthy_ones_cannot(policy: LbPolicy) -> None:
    assert chosen(made(hosts("hdddd"), policy)) == {0, 1, 2, 3, 4}
    assert chosen(made(hosts("hhhd"), policy)) == {0, 1, 2}
    assert chosen(made(hosts("ddd"), policy)) == {0, 1, 2}


@pytest.mark.parametrize("policy", [LbPolicy.RING_HASH, LbPolicy.MAGLEV])
def test_a_ring_has_no_degraded_hosts(policy: LbPolicy) -> None:
    """Envoy's rings are of healthy hosts; where there are none the request is answered 503."""
    assert chosen(made(hosts("hdddd"), policy)) == {0}
    assert chosen(made(hosts("ddd"), policy)) == {-1}


@pytest.mark.parametrize("policy", LbPolicy)
def test_priorities(policy: LbPolicy) -> None:
    assert chosen(made(hosts("hh", "hh"), policy)) == {0, 1}
    assert chosen(made(hosts("uu", "hh"), policy)) == {2, 3}
    balancer = made(hosts("hu", "hh"), policy)
    counts = Counter(balancer.pick(xx_hash(b"%d" % number)) for number in range(2000))
    assert set(counts) == {0, 2, 3}
    assert 1250 < counts[0] < 1550


@pytest.mark.parametrize("policy", LbPolicy)
def test_a_request_goes_on_to_the_next_priority_last(policy: LbPolicy) -> None:
    balancer = made(hosts("hh", "hh"), policy)
    first = balancer.pick(7)
    order = [first]
    while (other := balancer.pick_other(7, first, order)) >= 0:
        order.append(other)
    assert set(order[:2]) == {0, 1}
    assert set(order[2:]) == {2, 3}


@pytest.mark.parametrize("policy", [LbPolicy.ROUND_ROBIN, LbPolicy.RANDOM, LbPolicy.LEAST_REQUEST])
def test_weighted_localities(policy: LbPolicy) -> None:
    everybody = [*hosts("h", locality=A), *hosts("hh", locality=B)]
    weights = (LocalityWeight(0, A, 3), LocalityWeight(0, B, 1))
    balancer = made(everybody, policy, locality_weights=weights)
    assert isinstance(balancer, Localities)
    counts = Counter(balancer.pick() for _ in range(400))
    assert counts[0] == 300
    assert counts[1] + counts[2] == 100
    assert isinstance(made(everybody, policy, locality_weights=()), KINDS[policy])


@pytest.mark.parametrize("policy", [LbPolicy.RING_HASH, LbPolicy.MAGLEV])
def test_weighted_localities_of_a_ring(policy: LbPolicy) -> None:
    everybody = [*hosts("h", locality=A), *hosts("hh", locality=B)]
    balancer = made(everybody, policy, locality_weights=(LocalityWeight(0, B, 1),))
    assert balancer.places == [1, 2]


@pytest.mark.parametrize(
    ("host", "by_name", "key"),
    [
        (Host(Address("127.0.0.1", 1)), False, b"127.0.0.1:1"),
        (Host(Address("::1", 2), hostname="h"), False, b"[::1]:2"),
        (Host(Address("::1", 2), hostname="h"), True, b"h"),
        (Host(Address("::1", 2)), True, b""),
        (Host(Address("::1", 2), hostname="h", hash_key="mine"), True, b"mine"),
    ],
)
def test_hash_key(host: Host, by_name: bool, key: bytes) -> None:
    cluster = Cluster("c", hashing=HashingConfig(use_hostname_for_hashing=by_name))
    assert hash_key(cluster, host) == key


def test_the_ring_of_a_cluster() -> None:
    everybody = [Host(Address("127.0.0.1", 1), weight=2), Host(Address("::1", 2), hash_key="mine")]
    balancer = made(everybody, LbPolicy.RING_HASH, ring_hash=RingHashConfig(8, 16, HashFunction.MURMUR_HASH_2))
    expected = Ring([b"127.0.0.1:1", b"mine"], [2, 1], minimum_size=8, maximum_size=16, murmur=True)
    assert isinstance(balancer, RingHash)
    assert balancer.ring.entries() == expected.entries()


def test_the_table_of_a_cluster() -> None:
    balancer = made(hosts("hh"), LbPolicy.MAGLEV, maglev_table_size=11)
    assert isinstance(balancer, Maglev)
    assert balancer.table.size == 11


@pytest.mark.parametrize("policy", [LbPolicy.RING_HASH, LbPolicy.MAGLEV])
def test_a_bound_counts_the_requests_under_way(policy: LbPolicy) -> None:
    row = memoryview(array("Q", [0, 0, 0]))
    cluster = Cluster("c", lb_policy=policy, hashing=HashingConfig(hash_balance_factor=100))
    balancer = balancer_for(cluster, hosts("hh"), ActiveRequests([row], 2, [0, 1]))
    assert isinstance(balancer, HashBalancer)
    assert balancer.bound is not None
    assert chosen(balancer) == {0, 1}
    row[0] = row[2] = 50
    assert chosen(balancer) == {1}


@pytest.mark.parametrize("policy", LbPolicy)
def test_only_what_does_not_hash_can_be_shared_out_anew(policy: LbPolicy) -> None:
    balancer = made(hosts("hd", "u", "h"), policy)
    assert isinstance(balancer, Priorities)
    if policy.hashes:
        assert balancer.available is None
        return
    assert balancer.available == ((70, 0, 100), (70, 0, 0))
    picked = [balancer.pick_by(loads) for loads in (((0, 0, 100), (0, 0, 0)), ((0, 0, 0), (100, 0, 0)))]
    assert picked == [3, 1]
