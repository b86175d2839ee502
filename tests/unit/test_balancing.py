"""Who takes a request: each policy's choice, and whom it goes on to."""

from collections import Counter

import pytest

from fastproxy._ring import Ring, xx_hash
from fastproxy.balancing import Balancer, LeastRequest, Random, RingHash, RoundRobin, balancer_for
from fastproxy.model import Address, Cluster, HashFunction, Host, LbPolicy, RingHashConfig

KEYS = [b"127.0.0.1:8002", b"127.0.0.1:8003", b"127.0.0.1:8004"]
EVERY = [
    RoundRobin([1, 1, 1]),
    Random([1, 1, 1]),
    LeastRequest([1, 1, 1]),
    RingHash(KEYS, [1, 1, 1], RingHashConfig()),
]


def test_round_robin_gives_each_its_share_evenly():
    balancer = RoundRobin([1, 2, 3])
    picks = [balancer.pick() for _ in range(60)]
    assert Counter(picks[:6]) == Counter(picks) - Counter(picks[6:]) == {0: 1, 1: 2, 2: 3}
    assert Counter(picks) == {0: 10, 1: 20, 2: 30}


def test_random_reaches_everybody():
    balancer = Random([1] * 3)
    assert {balancer.pick() for _ in range(300)} == {0, 1, 2}


def test_least_request_without_requests_reaches_everybody():
    balancer = LeastRequest([1] * 3)
    assert {balancer.pick() for _ in range(300)} == {0, 1, 2}


def test_ring_hash_follows_its_ring():
    balancer = RingHash(KEYS, [1] * 3, RingHashConfig())
    ring = Ring(KEYS, [1] * 3, minimum_size=1024, maximum_size=8 << 20, murmur=False)
    for number in range(200):
        digest = xx_hash(str(number).encode())
        assert balancer.pick(digest) == ring.choose_py(digest)
    assert {balancer.pick() for _ in range(300)} == {0, 1, 2}


def test_ring_hash_goes_on_along_the_ring():
    balancer = RingHash(KEYS, [1] * 3, RingHashConfig())
    for number in range(50):
        digest = xx_hash(str(number).encode())
        order = [balancer.pick(digest)]
        while (other := balancer.pick_other(digest, order[0], set(order))) >= 0:
            order.append(other)
        assert sorted(order) == [0, 1, 2]
        attempts = [balancer.ring.choose_py(digest, attempt) for attempt in range(balancer.ring.size)]
        assert order == sorted(set(attempts), key=attempts.index)


@pytest.mark.parametrize("balancer", EVERY, ids=lambda each: type(each).__name__)
def test_going_on_ends_when_everybody_was_tried(balancer):
    first, tried = 1, {1}
    for _ in range(2):
        other = balancer.pick_other(None, first, tried)
        assert other not in tried
        tried.add(other)
    assert tried == {0, 1, 2}
    assert balancer.pick_other(None, first, tried) == -1
    assert balancer.pick_other(7, first, tried) == -1


@pytest.mark.parametrize("policy", LbPolicy)
def test_no_hosts(policy):
    balancer = balancer_for(Cluster("c", lb_policy=policy), [])
    assert balancer.size == 0
    assert (balancer.pick(), balancer.pick(7), balancer.pick_other(7, 0, set())) == (-1, -1, -1)


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        (LbPolicy.ROUND_ROBIN, RoundRobin),
        (LbPolicy.RANDOM, Random),
        (LbPolicy.LEAST_REQUEST, LeastRequest),
        (LbPolicy.RING_HASH, RingHash),
    ],
)
def test_balancer_for(policy, kind):
    hosts = [Host(Address("127.0.0.1", port)) for port in (1, 2)]
    balancer = balancer_for(Cluster("c", lb_policy=policy), hosts)
    assert type(balancer) is kind
    assert balancer.size == 2


def test_the_ring_of_a_cluster():
    """Keys are addresses unless a host has one of its own; sizes, weights and function are the cluster's."""
    hosts = [Host(Address("127.0.0.1", 1), weight=2), Host(Address("::1", 2), hash_key="mine")]
    config = RingHashConfig(8, 16, HashFunction.MURMUR_HASH_2)
    balancer = balancer_for(Cluster("c", lb_policy=LbPolicy.RING_HASH, ring_hash=config), hosts)
    expected = Ring([b"127.0.0.1:1", b"mine"], [2, 1], minimum_size=8, maximum_size=16, murmur=True)
    assert isinstance(balancer, RingHash)
    assert balancer.ring.entries() == expected.entries()


def test_a_balancer_of_no_policy_chooses_nobody():
    assert Balancer().pick() == -1
