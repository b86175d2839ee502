"""What a worker remembers of ids that nobody knew, and for how many it may ask."""

import pytest

from fastproxy.exchange.unknown_ids import UnknownIds

NOW_MS = 5_000_000


@pytest.fixture
def ids() -> UnknownIds:
    return UnknownIds()


def test_an_id_is_remembered_for_a_minute(ids):
    ids.add(7, NOW_MS)
    assert ids.has(7, NOW_MS + 59_999)
    assert not ids.has(7, NOW_MS + 60_000)


@pytest.mark.parametrize("key", [8, 7 + 65536, 0])
def test_another_id_is_not_mistaken_for_it(ids, key):
    ids.add(7, NOW_MS)
    assert not ids.has(key, NOW_MS)


def test_the_later_one_of_two_in_a_slot_is_remembered(ids):
    ids.add(7, NOW_MS)
    ids.add(7 + 65536, NOW_MS)
    assert (ids.has(7, NOW_MS), ids.has(7 + 65536, NOW_MS)) == (False, True)


def asks(ids: UnknownIds, now_ms: int) -> int:
    """How many ids may be asked for now."""
    count = 0
    while ids.may_ask(now_ms):
        count += 1
    return count


def test_a_thousand_at_once_then_a_hundred_a_second(ids):
    assert asks(ids, NOW_MS) == 1000
    assert asks(ids, NOW_MS + 500) == 50
    assert asks(ids, NOW_MS + 3_600_000) == 1000


def test_an_id_that_somebody_knows_costs_nothing(ids):
    for _ in range(5000):
        assert ids.may_ask(NOW_MS)
        ids.give_back()
    assert asks(ids, NOW_MS) == 1000


def test_one_that_was_given_back_too_early_is_charged_again(ids):
    assert asks(ids, NOW_MS) == 1000
    for _ in range(50):
        ids.charge()
    assert asks(ids, NOW_MS + 500) == 0
    assert asks(ids, NOW_MS + 600) == 10
