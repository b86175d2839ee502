"""For how many ids that perhaps nobody knows a worker asks, and what of that each client has."""

import pytest

from fastproxy.exchange.search_limits import Charge, SearchLimits

NOW_MS = 5_000_000
FLOOD, OTHER = 1, 2  # clients


@pytest.fixture
def limits() -> SearchLimits:
    return SearchLimits(bytes(16))


def searches(limits: SearchLimits, client: int, now_ms: int) -> int:
    """How many this client may begin now, all in vain."""
    count = 0
    while limits.take(client, now_ms) >= 0:
        count += 1
    return count


def use_up(limits: SearchLimits, now_ms: int) -> int:
    """Clients enough for all of the worker's."""
    return sum(searches(limits, client, now_ms) for client in range(100, 103))


def test_one_client_has_half_of_the_workers_and_a_few_of_its_own(limits):
    assert searches(limits, FLOOD, NOW_MS) == 2 * 1024 + 2 * 2
    assert limits.take(FLOOD, NOW_MS) == Charge.LIMITED_BY_SOURCE


def test_then_it_has_a_quarter_of_a_hundred_a_second(limits):
    searches(limits, FLOOD, NOW_MS)
    assert searches(limits, FLOOD, NOW_MS + 4000) == 100
    assert searches(limits, FLOOD, NOW_MS + 8000) == 100


def test_one_that_floods_takes_nothing_from_another(limits):
    for second in range(100):
        searches(limits, FLOOD, NOW_MS + 1000 * second)
    assert searches(limits, OTHER, NOW_MS + 99_000) == 2 * 1024 + 2 * 2


def test_where_many_flood_each_other_client_has_a_few(limits):
    assert use_up(limits, NOW_MS) == 4096 + 3 * 4
    assert searches(limits, OTHER, NOW_MS) == 4
    assert limits.take(OTHER, NOW_MS) == Charge.LIMITED_BY_WORKER


def test_a_few_come_back_every_40_s(limits):
    use_up(limits, NOW_MS)
    assert searches(limits, OTHER, NOW_MS) == 4
    later_ms = NOW_MS + 40_000
    use_up(limits, later_ms)
    assert searches(limits, OTHER, later_ms) == 2


def test_the_worker_has_a_hundred_a_second_for_all(limits):
    use_up(limits, NOW_MS)
    taken = sum(searches(limits, client, NOW_MS + 1000) for client in range(300, 305))
    assert taken == 100 + 5 * 4


@pytest.mark.parametrize("is_used_up", [False, True])
def test_what_was_not_in_vain_is_given_back(limits, is_used_up):
    if is_used_up:
        use_up(limits, NOW_MS)
    for _ in range(10_000):
        charge = limits.take(OTHER, NOW_MS)
        assert charge >= 0
        limits.give_back(charge)
    assert searches(limits, OTHER, NOW_MS) == (4 if is_used_up else 2 * 1024 + 4)


def test_who_shares_one_source_with_a_flood_has_the_other(limits):
    searches(limits, FLOOD, NOW_MS)
    found = [client for client in range(2, 10_000) if shares_one(limits, client)]
    assert found
    assert all(searches(limits, client, NOW_MS) >= 1024 for client in found[:2])


def shares_one(limits: SearchLimits, client: int) -> bool:
    """Whether its first source is that of FLOOD, so that it takes of its second one."""
    first, second = limits.take(client, NOW_MS), SearchLimits(bytes(16)).take(client, NOW_MS)
    limits.give_back(first)
    return first != second


def test_another_key_sorts_clients_otherwise():
    charges = [SearchLimits(bytes([number]) * 16).take(FLOOD, NOW_MS) for number in range(4)]
    assert len(set(charges)) > 1


def test_a_key_of_another_length():
    with pytest.raises(ValueError, match="16 bytes"):
        SearchLimits(b"short")
