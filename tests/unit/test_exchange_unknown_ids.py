"""What a worker remembers of ids that nobody knew."""

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
