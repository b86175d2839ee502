"""Balancers put together: the draw among priorities, turns among localities, and whom a request goes on to."""

from collections import Counter

from fastproxy.balancing import Balancer, Random, RoundRobin
from fastproxy.hash_balancing import Maglev
from fastproxy.host_sets import Share
from fastproxy.model import Health, Locality
from fastproxy.priorities import Localities, Priorities

A, B = Locality(zone="a"), Locality(zone="b")


def table(*places: int) -> Maglev:
    return Maglev(places, [b"%d" % place for place in places], [1 / len(places)] * len(places), 251)


def share(priority: int, percent: int, *, panic: bool = False, health: Health = Health.HEALTHY) -> Share:
    return Share(priority, health, percent, panic)


def failover(balancer: Balancer, digest: int | None, first: int) -> list[int]:
    order = [first]
    while (other := balancer.pick_other(digest, first, order)) >= 0:
        order.append(other)
    return order


def test_the_hash_draws_the_priority() -> None:
    children = table(0, 1), table(2, 3)
    balancer = Priorities(children, [(share(0, 70), 0), (share(1, 30), 1)], hashes=True)
    for digest in range(500):
        child = children[0] if digest % 100 < 70 else children[1]
        assert balancer.pick(digest) == child.pick(digest)
    assert {balancer.pick() for _ in range(500)} == {0, 1, 2, 3}
    assert balancer.places == [0, 1, 2, 3]


def test_a_lot_draws_the_priority_where_nothing_is_hashed() -> None:
    balancer = Priorities([Random([0]), Random([1])], [(share(0, 80), 0), (share(1, 20), 1)], hashes=False)
    counts = Counter(balancer.pick(7) for _ in range(5000))
    assert 3700 < counts[0] < 4300


def test_panics_are_counted() -> None:
    balancer = Priorities([table(0), table(1)], [(share(0, 50, panic=True), 0), (share(1, 50), 1)], hashes=True)
    for digest in range(200):
        balancer.pick(digest)
    assert balancer.panics == 100


def test_first_those_of_the_same_priority_then_the_others() -> None:
    balancer = Priorities([table(0, 1, 2), table(3, 4)], [(share(0, 100), 0)], hashes=True)
    order = failover(balancer, 7, balancer.pick(7))
    assert set(order[:3]) == {0, 1, 2}
    assert set(order[3:]) == {3, 4}
    order = failover(balancer, 7, 4)
    assert order[:2] == [4, 3]
    assert set(order[2:]) == {0, 1, 2}


def test_from_a_host_of_no_priority() -> None:
    balancer = Priorities([table(0), table(1)], [(share(0, 100), 0)], hashes=True)
    assert failover(balancer, 7, 9) == [9, 0, 1]


def test_a_priority_without_hosts() -> None:
    balancer = Priorities([RoundRobin([], []), RoundRobin([3], [1])], [(share(0, 100), 0)], hashes=False)
    assert balancer.pick() == -1
    assert balancer.pick_other(None, -1, set()) == 3


def test_without_shares_nobody_is_chosen() -> None:
    assert Priorities([table(0)], [], hashes=True).pick(7) == -1


def test_a_trace_names_the_priority_and_the_draw() -> None:
    balancer = Priorities([table(0, 1), table(2)], [(share(0, 70), 0), (share(1, 30, panic=True), 1)], hashes=True)
    trace = balancer.trace(199, excluding={2})
    assert trace.first == trace.order[0] == 2
    assert set(trace.order[1:]) == {0, 1}
    assert trace.host == trace.order[1]
    assert trace.why == {
        "loads": [(0, "healthy", 70), (1, "healthy", 30)],
        "draw": 100,
        "priority": 1,
        "health": "healthy",
        "in_panic": True,
        "policy": "Maglev",
        "table_size": 251,
        "slot": 199,
    }
    assert balancer.panics == 0
    assert balancer.trace().first == -1


def test_localities_take_turns_by_weight() -> None:
    balancer = Localities([RoundRobin([0, 1], [1, 1]), RoundRobin([2], [1])], [A, B], [1.0, 3.0])
    assert Counter(balancer.pick() for _ in range(40)) == {0: 5, 1: 5, 2: 30}
    assert failover(balancer, None, 1) == [1, 0, 2]
    assert balancer.trace().why == {"policy": "RoundRobin", "localities": [[A, 1.0], [B, 3.0]]}


def test_no_localities() -> None:
    assert Localities([], [], []).pick() == -1


def test_a_retry_stays_in_its_priority() -> None:
    """Attempts are those of the table that the draw has named."""
    balancer = Priorities([table(0, 1, 2), table(3, 4, 5)], [(share(0, 50), 0), (share(1, 50), 1)], hashes=True)
    for digest in range(100):
        found = [balancer.pick_again(digest, attempt) for attempt in range(8)]
        assert found[0] == balancer.pick(digest)
        assert {place // 3 for place in found} == {int(digest % 100 >= 50)}


def test_a_retry_takes_the_turn_of_a_locality() -> None:
    balancer = Localities([table(0), table(1)], [A, B], [1, 1])
    assert Counter(balancer.pick_again(7, 1) for _ in range(10)) == {0: 5, 1: 5}


def test_other_shares_are_drawn_by_lot() -> None:
    groups = [RoundRobin([place], [1]) for place in range(4)]  # healthy and degraded ones of two priorities
    available = ((100, 0), (0, 0))
    parts = [(share(0, 100), 0)]
    balancer = Priorities(groups, parts, hashes=False, available=available, in_panic=(False, True))
    assert {balancer.pick() for _ in range(50)} == {0}
    assert {balancer.pick_by(((0, 100), (0, 0))) for _ in range(50)} == {1}
    assert {balancer.pick_by(((0, 0), (50, 50))) for _ in range(200)} == {2, 3}
    before = balancer.panics
    assert balancer.pick_by(((0, 0), (100, 0))) == 2
    assert balancer.panics == before
    assert balancer.pick_by(((0, 0), (0, 100))) == 3
    assert balancer.panics == before + 1
