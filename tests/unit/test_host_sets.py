"""Who takes requests: priorities, health, panic, localities. The figures are those of Envoy's documentation."""

import pytest

from fastproxy.host_sets import (
    HostSet,
    Share,
    by_locality,
    effective_weights,
    host_sets,
    load,
    locality_weights,
    normalized_shares,
)
from fastproxy.model import Address, Cluster, Health, HealthConfig, HealthStatus, Host, Locality, LocalityWeight

HEALTHY, DEGRADED, UNHEALTHY = HealthStatus.HEALTHY, HealthStatus.DEGRADED, HealthStatus.UNHEALTHY
A, B = Locality(zone="a"), Locality(zone="b")


def hosts(*priorities: str, weight: int = 1) -> list[Host]:
    """One text per priority, one letter per host: h, d, u or x, which drains."""
    kinds = {"h": HEALTHY, "d": DEGRADED, "u": UNHEALTHY, "x": HealthStatus.DRAINING}
    return [
        Host(Address("127.0.0.1", 1), weight, priority=priority, health_status=kinds[letter])
        for priority, letters in enumerate(priorities)
        for letter in letters
    ]


def loads(*priorities: str, **config: object) -> tuple[tuple[int, ...], tuple[int, ...], tuple[bool, ...]]:
    everybody = hosts(*priorities)
    found = load(host_sets(everybody), everybody, HealthConfig(**config))  # type: ignore[arg-type]
    return found.healthy, found.degraded, found.in_panic


@pytest.mark.parametrize("status", HealthStatus)
def test_what_a_status_means(status: HealthStatus) -> None:
    wanted = {"DEGRADED": Health.DEGRADED, "HEALTHY": Health.HEALTHY, "UNKNOWN": Health.HEALTHY}
    assert status.health is wanted.get(status.name, Health.UNHEALTHY)


def test_sets_by_priority() -> None:
    everybody = hosts("hd", "", "uh")
    assert host_sets(everybody) == (HostSet((0, 1), (0,), (1,)), HostSet((), (), ()), HostSet((2, 3), (3,), ()))
    assert host_sets([]) == (HostSet((), (), ()),)


def test_those_of_a_set_that_take_requests() -> None:
    each = HostSet((0, 1, 2), (0,), (1,))
    assert each.of(Health.HEALTHY, False) == (0,)
    assert each.of(Health.DEGRADED, False) == (1,)
    assert each.of(Health.HEALTHY, True) == (0, 1, 2)


@pytest.mark.parametrize(
    ("priorities", "healthy", "degraded"),
    [
        (("hhhh",), (100,), (0,)),
        (("h" * 10, "h" * 10), (100, 0), (0, 0)),
        (("h" * 72 + "u" * 28, "h" * 10), (100, 0), (0, 0)),
        (("h" * 71 + "u" * 29, "h" * 10), (99, 1), (0, 0)),
        (("h" * 50 + "u" * 50, "h" * 10), (70, 30), (0, 0)),
        (("h" * 25 + "u" * 75, "h" * 10), (35, 65), (0, 0)),
        (("u" * 10, "h" * 10), (0, 100), (0, 0)),
        (("h" * 25 + "u" * 75, "h" * 25 + "u" * 75, "h" * 25 + "u" * 75), (35, 35, 30), (0, 0, 0)),
        (("d" * 10,), (0,), (100,)),
        (("h" * 5 + "d" * 5, "u" * 10), (70, 0), (30, 0)),
        (("", "h"), (0, 100), (0, 0)),
        (("h" * 20 + "u" * 80, "h" * 20 + "u" * 80), (50, 50), (0, 0)),
        (("h" * 5 + "u" * 95, "h" * 10 + "u" * 90), (34, 66), (0, 0)),
    ],
)
def test_loads(priorities: tuple[str, ...], healthy: tuple[int, ...], degraded: tuple[int, ...]) -> None:
    assert loads(*priorities, panic_threshold=0)[:2] == (healthy, degraded)


@pytest.mark.parametrize(
    ("priorities", "threshold", "in_panic"),
    [
        (("huu",), 50, (True,)),
        (("huu",), 33, (False,)),
        (("hu",), 50, (False,)),  # 50 % are not below 50 %
        (("hdu",), 50, (False,)),
        (("huuu", "hhhh"), 50, (False, False)),  # the second can take everything
        (("huuu", "huuu"), 50, (True, True)),
        (("uu", "huuuu"), 30, (True, True)),
        (("uuuuu", "hhuuu"), 30, (True, False)),
        (("uu",), 0, (False,)),
        (("",), 50, (True,)),
        (("",), 0, (False,)),
    ],
)
def test_panic(priorities: tuple[str, ...], threshold: int, in_panic: tuple[bool, ...]) -> None:
    assert loads(*priorities, panic_threshold=threshold)[2] == in_panic


def test_when_all_are_in_panic_the_number_of_hosts_counts() -> None:
    assert loads("uuh", "uuuuuh")[:2] == ((34, 66), (0, 0))
    assert loads("", "uuuuuh")[0] == (0, 100)
    assert loads("")[0] == (100,)


def test_without_hosts_and_without_panic_the_first_priority_answers_for_all() -> None:
    assert loads("uu", "uu", panic_threshold=0) == ((100, 0), (0, 0), (False, False))


def test_overprovisioning() -> None:
    assert loads("hu", "h", overprovisioning_factor=100)[0] == (50, 50)
    assert loads("hu", "h", overprovisioning_factor=200)[0] == (100, 0)


def test_health_by_weight() -> None:
    everybody = [*hosts("h", weight=1), *hosts("u", weight=9), *hosts("", "h")]
    config = HealthConfig(weighted_priority_health=True)
    assert load(host_sets(everybody), everybody, config).healthy == (14, 86)


def test_shares_are_drawn_healthy_first() -> None:
    """30 % and 30 % of ten with 1.4: 42 and 42; 21 % in the second priority: 42 * 100 // 100 each, 16 are left."""
    everybody = hosts("h" * 3 + "d" * 3 + "u" * 4, "d" * 3 + "u" * 7)
    assert load(host_sets(everybody), everybody, HealthConfig(panic_threshold=0)).shares() == (
        Share(0, Health.HEALTHY, 42, False),
        Share(0, Health.DEGRADED, 42, False),
        Share(1, Health.DEGRADED, 16, False),
    )


def in_zones(*zones: Locality, weights: tuple[int, ...] = ()) -> list[Host]:
    return [
        Host(Address("127.0.0.1", 1), weight, locality=zone)
        for zone, weight in zip(zones, weights or (1,) * len(zones), strict=True)
    ]


def test_localities_stand_in_the_order_of_their_names() -> None:
    regional = Locality("r")
    everybody = in_zones(B, A, regional, B)
    assert list(by_locality((0, 1, 2, 3), everybody).items()) == [(A, (1,)), (B, (0, 3)), (regional, (2,))]


def test_weights_of_a_priority() -> None:
    weights = (LocalityWeight(0, A, 3), LocalityWeight(1, A, 5))
    assert locality_weights(Cluster("c", locality_weights=weights), 1) == {A: 5}
    assert locality_weights(Cluster("c", locality_weights=()), 0) == {}
    assert locality_weights(Cluster("c"), 0) is None


def test_a_locality_with_few_healthy_hosts_gets_less() -> None:
    everybody = in_zones(A, A, A, A, B)
    weights = {A: 10, B: 10}
    assert effective_weights((0, 1, 2, 3, 4), (0, 1, 2, 3, 4), everybody, weights, 140) == {A: 10, B: 10}
    assert effective_weights((0, 4), (0, 1, 2, 3, 4), everybody, weights, 140) == {A: 3.5, B: 10}
    assert effective_weights((4,), (0, 1, 2, 3, 4), everybody, weights, 140) == {B: 10}
    assert effective_weights((0, 4), (0, 1, 2, 3, 4), everybody, {A: 1}, 140) == {A: 0.35}


def test_shares_on_a_ring() -> None:
    everybody = in_zones(B, A, B, weights=(1, 2, 3))
    places = (0, 1, 2)
    assert normalized_shares(places, places, everybody, None) == [(0, 1 / 6), (1, 2 / 6), (2, 3 / 6)]
    assert normalized_shares(places, places, everybody, {A: 1, B: 3}) == [(1, 0.25), (0, 0.1875), (2, 0.5625)]
    assert normalized_shares(places, places, everybody, {A: 1}) == [(1, 1.0)]
    assert normalized_shares(places, places, everybody, {}) == []
    assert normalized_shares((0, 2), places, everybody, {A: 1, B: 1}) == [(0, 0.125), (2, 0.375)]


def test_hosts_that_drain_are_not_counted() -> None:
    """Envoy: excluded hosts. One healthy host of one that counts is all of them; in a panic they get requests too."""
    assert loads("hxxx", "h") == ((100, 0), (0, 0), (False, False))
    assert loads("huxx", "h") == ((70, 30), (0, 0), (False, False))
    assert loads("xx") == ((100,), (0,), (True,))
    assert host_sets(hosts("hx")) == (HostSet((0, 1), (0,), (), (1,)),)
    assert host_sets(hosts("hx"))[0].counted == (0,)


def test_a_share_that_rounds_to_nothing_is_all_that_there_is() -> None:
    """One of two hosts is healthy, and the factor leaves 1 % * 1/2 of it, which is 0, yet that is no panic."""
    assert loads("hu", overprovisioning_factor=1, panic_threshold=1) == ((100,), (0,), (False,))
