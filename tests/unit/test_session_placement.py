"""Where new sessions begin: by weight, among the hosts that take any, all workers together."""

from array import array
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy._sessions import SessionTable, region_bytes
from fastproxy.active_requests import ActiveRequests
from fastproxy.balancers import balancer_for
from fastproxy.balancing import Balancer, LeastRequest, Random, RoundRobin
from fastproxy.counters import HostCounter
from fastproxy.model import Address, Cluster, HealthStatus, Host, LbPolicy, LeastRequestConfig, Locality
from fastproxy.model_balancing import LocalityWeight
from fastproxy.session_placement import SessionPlacement

BLOCK = int(HostCounter.HOST_COUNTERS)
OPENING = int(HostCounter.__members__["host_sid_opening_active"])
TUNNELS = int(HostCounter.__members__["host_ws_active"])


class Hosts:
    """The counters of some hosts, a row for each worker, and a table."""

    def __init__(self, count: int, workers: int = 1) -> None:
        self.rows = [memoryview(array("Q", bytes(8 * BLOCK * count))) for _ in range(workers)]
        self.table = SessionTable(memoryview(bytearray(region_bytes(1024))), bytes(16))
        self.digests = [1000 + host for host in range(count)]
        self.placement = SessionPlacement(self.rows, [host * BLOCK for host in range(count)], self.digests)

    def pick(self, balancer: Balancer) -> int:
        return self.placement.pick(balancer, self.table)

    def add(self, host: int, worker: int = 0, what: int = OPENING, number: int = 1) -> None:
        self.rows[worker][host * BLOCK + what] += number

    def open(self, balancer: Balancer, number: int) -> None:
        """Begin that many sessions one after the other."""
        for _ in range(number):
            self.add(self.pick(balancer))

    def live(self) -> list[int]:
        return [
            sum(row[host * BLOCK + what] for row in self.rows for what in (OPENING, TUNNELS))
            for host in range(len(self.digests))
        ]


def among(places: Sequence[int]) -> RoundRobin:
    return RoundRobin(places, [1] * len(places))


def test_openings_and_tunnels_of_every_worker_count():
    hosts = Hosts(3, workers=3)
    hosts.add(0, worker=1)
    hosts.add(1, worker=2, what=TUNNELS)
    assert hosts.pick(among([0, 1, 2])) == 2


def test_sessions_of_the_table_count_until_a_tunnel_carries_them():
    hosts = Hosts(2)
    hosts.table.put(b"a", hosts.digests[0], 1, 100)
    assert hosts.pick(among([0, 1])) == 1
    hosts.add(1)
    hosts.table.put(b"b", hosts.digests[0], 1, 100)
    assert hosts.pick(among([0, 1])) == 1
    hosts.table.give(b"a")
    hosts.table.give(b"b")
    assert hosts.pick(among([0, 1])) == 0


def test_nobody_to_choose():
    assert Hosts(1).pick(among([])) == -1


def test_lots_are_drawn_among_equals():
    hosts = Hosts(3)
    hosts.add(1, number=4)
    counts = Counter(hosts.pick(among([0, 1, 2])) for _ in range(2000))
    assert set(counts) == {0, 2}
    assert min(counts.values()) > 800


@pytest.mark.parametrize(
    "balancer",
    [
        RoundRobin(range(3), [1, 2, 5]),
        LeastRequest(range(3), [1, 2, 5], ActiveRequests([], 0, [0, 0, 0]), LeastRequestConfig()),
        balancer_for(
            Cluster("ring", lb_policy=LbPolicy.RING_HASH),
            [Host(Address("1.1.1.1", port), weight=weight) for port, weight in ((1, 1), (2, 2), (3, 5))],
        ),
        balancer_for(
            Cluster("maglev", lb_policy=LbPolicy.MAGLEV),
            [Host(Address("1.1.1.1", port), weight=weight) for port, weight in ((1, 1), (2, 2), (3, 5))],
        ),
    ],
    ids=lambda balancer: type(balancer).__name__,
)
def test_weights_hold(balancer):
    hosts = Hosts(3)
    hosts.open(balancer, 80)
    assert hosts.live() == [10, 20, 50]


def test_random_knows_no_weights():
    hosts = Hosts(3)
    hosts.open(Random(range(3)), 30)
    assert hosts.live() == [10, 10, 10]


def test_a_host_that_is_added_gets_the_new_sessions_until_it_is_level():
    hosts = Hosts(4)
    hosts.open(among([0, 1, 2]), 30)
    hosts.open(among([0, 1, 2, 3]), 9)
    assert hosts.live() == [10, 10, 10, 9]
    hosts.open(among([0, 1, 2, 3]), 5)
    assert hosts.live() == [11, 11, 11, 11]


def hosts_of(*kinds: tuple[int, HealthStatus]) -> list[Host]:
    return [
        Host(Address("1.1.1.1", port), priority=priority, health_status=health)
        for port, (priority, health) in enumerate(kinds)
    ]


@pytest.mark.parametrize("policy", [LbPolicy.ROUND_ROBIN, LbPolicy.RING_HASH])
def test_hosts_that_take_no_requests_get_no_sessions(policy):
    """The sick and the draining are left out, and the second priority while the first can take everything."""
    kinds = [
        (0, HealthStatus.HEALTHY), (0, HealthStatus.HEALTHY), (0, HealthStatus.HEALTHY), (0, HealthStatus.UNHEALTHY),
        (0, HealthStatus.DRAINING), (1, HealthStatus.HEALTHY),
    ]  # fmt: skip
    hosts = Hosts(len(kinds))
    hosts.open(balancer_for(Cluster("c", lb_policy=policy), hosts_of(*kinds)), 30)
    assert hosts.live() == [10, 10, 10, 0, 0, 0]


def test_priorities_keep_their_shares():
    """With two of three hosts gone, 46 of 100 requests stay in the first priority."""
    kinds = [(0, HealthStatus.HEALTHY), *[(0, HealthStatus.UNHEALTHY)] * 2, *[(1, HealthStatus.HEALTHY)] * 2]
    hosts = Hosts(5)
    hosts.open(balancer_for(Cluster("c", lb_policy=LbPolicy.ROUND_ROBIN), hosts_of(*kinds)), 4000)
    live = hosts.live()
    assert live[1:3] == [0, 0]
    assert abs(live[0] - 1840) < 200
    assert abs(live[3] - live[4]) <= 1


def test_localities_keep_their_weights():
    places = [Locality("r", zone) for zone in ("a", "a", "b")]
    model = Cluster(
        "c",
        lb_policy=LbPolicy.ROUND_ROBIN,
        locality_weights=(LocalityWeight(0, places[0], 1), LocalityWeight(0, places[2], 3)),
    )
    hosts = Hosts(3)
    hosts.open(balancer_for(model, [Host(Address("1.1.1.1", i), locality=place) for i, place in enumerate(places)]), 80)
    assert hosts.live() == [10, 10, 60]


@given(st.lists(st.integers(1, 128), min_size=1, max_size=8), st.integers(1, 300))
def test_every_host_gets_its_share_at_least(weights, number):
    hosts = Hosts(len(weights))
    hosts.open(RoundRobin(range(len(weights)), weights), number)
    for live, weight in zip(hosts.live(), weights, strict=True):
        assert live >= number * weight // sum(weights)


@given(st.integers(1, 8), st.integers(1, 6), st.lists(st.integers(1, 6), max_size=40))
def test_workers_that_choose_at_the_same_time_stay_within_their_number(count, workers, rounds):
    """Each round some workers choose before any of them counts; what was opened may become a tunnel."""
    hosts, balancer = Hosts(count, workers), among(range(count))
    for at_once in rounds:
        chosen = [(hosts.pick(balancer), worker) for worker in range(min(at_once, workers))]
        for host, worker in chosen:
            hosts.add(host, worker, TUNNELS if host % 2 else OPENING)
        assert max(hosts.live()) - min(hosts.live()) <= workers
