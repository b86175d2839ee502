"""The session table in one process: what it answers, whom it displaces, what it counts."""

import pytest

from tests.unit.session_tables import HOSTS, NOW, TTL, host_of, id_of, table_of

LONGEST_S = 31 << 14


def test_an_empty_region_is_an_empty_table() -> None:
    table = table_of(16)
    assert table.capacity == 64
    assert table.get(b"anything", NOW) is None
    assert table.count(NOW) == 0


def test_learn_and_find() -> None:
    table = table_of(16)
    assert table.put(b"one", HOSTS[0], NOW, TTL) == 0
    assert table.put(b"two", HOSTS[1], NOW, TTL) == 0
    assert table.get(b"one", NOW) == HOSTS[0]
    assert table.get(b"two", NOW) == HOSTS[1]
    assert table.get(b"three", NOW) is None
    assert table.get(b"", NOW) is None
    assert table.count(NOW) == 2


def test_learning_again_replaces() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert table.put(b"one", HOSTS[1], NOW + 5, TTL) == 2
    assert table.counts() == {HOSTS[1]: 1}
    assert table.get(b"one", NOW + TTL + 4) == HOSTS[1]
    assert table.count(NOW) == 1
    assert table.put(b"one", HOSTS[1], NOW + 10 * TTL, TTL) == 0, "it had expired"


def test_an_entry_lives_until_its_expiry() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    table.put(b"two", HOSTS[0], NOW, TTL)
    assert table.count(NOW + TTL - 1) == 2
    assert table.get(b"one", NOW + TTL - 1) == HOSTS[0]
    assert table.get(b"two", NOW + TTL) is None
    assert table.count(NOW + TTL) == 1


def test_finding_raises_the_expiry_by_the_lifetime_of_the_entry() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    table.put(b"two", HOSTS[0], NOW, 2 * TTL)
    assert table.get(b"one", NOW + 40) == table.get(b"two", NOW + 40) == HOSTS[0]
    assert table.count(NOW + 40 + TTL - 1) == 2
    assert table.count(NOW + 40 + TTL) == 1
    assert table.count(NOW + 40 + 2 * TTL) == 0


def test_finding_never_lowers_the_expiry() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, 31)
    assert table.get(b"one", NOW - 20) == HOSTS[0]
    assert table.count(NOW + 30) == 1


def test_an_expired_entry_is_not_brought_back() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, 30)
    assert table.get(b"one", NOW + 30) is None
    assert table.count(NOW + 29) == 1
    assert table.count(NOW + 30) == 0


@pytest.mark.parametrize("lifetime_s", [1, 2, 15, 16, 31, 32, 33, 45, 60, 63, 64, 65, 3601, 86_400, LONGEST_S])
def test_lifetimes_are_rounded_up_by_a_sixteenth_at_most(lifetime_s: int) -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, lifetime_s)
    longest_s = lifetime_s if lifetime_s < 32 else lifetime_s * 17 // 16
    assert table.count(NOW + lifetime_s - 1) == 1
    assert table.count(NOW + longest_s) == 0


def test_lifetimes_have_bounds() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, 0)
    table.put(b"two", HOSTS[0], NOW, 2**32 - 1)
    assert (table.count(NOW), table.count(NOW + 1)) == (2, 1)
    assert (table.count(NOW + LONGEST_S - 1), table.count(NOW + LONGEST_S)) == (1, 0)


def test_an_expiry_past_the_end_of_time_stays_at_the_end() -> None:
    table = table_of(16)
    last = 2**28 - 1
    table.put(b"one", HOSTS[0], last - 1, 100)
    assert table.get(b"one", last - 1) == HOSTS[0]
    assert table.get(b"one", last) is None
    table.put(b"one", HOSTS[0], 2**32 - 1, 100)
    assert table.get(b"one", 2**32 - 1) is None


def test_forget() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert table.drop(b"one")
    assert table.get(b"one", NOW) is None
    assert not table.drop(b"one")
    assert table.put(b"one", HOSTS[1], NOW, TTL) == 0
    assert table.get(b"one", NOW) == HOSTS[1]


def test_a_full_bucket_displaces_what_expires_first() -> None:
    table = table_of(1)
    for number, ttl_s in enumerate((50, 20, 40, 30)):
        assert table.put(id_of(number), HOSTS[0], NOW, ttl_s) == 0
    assert table.put(id_of(4), HOSTS[1], NOW, 60) == 1
    assert [table.get(id_of(number), NOW) is not None for number in range(5)] == [True, False, True, True, True]
    assert table.get(id_of(4), NOW) == HOSTS[1]


def test_expired_entries_make_room_first() -> None:
    table = table_of(1)
    for number, ttl_s in enumerate((50, 20, 40, 30)):
        table.put(id_of(number), HOSTS[0], NOW, ttl_s)
    assert table.put(id_of(4), HOSTS[1], NOW + 20, 1) == 0
    assert table.count(NOW + 20) == 4
    assert table.put(id_of(2), HOSTS[1], NOW + 20, 60) == 2, "replacing one's own entry displaces nobody"


def test_live_sessions_are_counted_by_host() -> None:
    table = table_of(64)
    assert (table.counts(), table.live(HOSTS[0])) == ({}, 0)
    for number in range(10):
        table.put(id_of(number), HOSTS[number % 2], NOW, TTL + number)
    table.put(id_of(0), HOSTS[1], NOW, TTL)
    table.drop(id_of(2))
    assert table.counts() == {HOSTS[0]: 3, HOSTS[1]: 6}
    assert [table.live(digest) for digest in HOSTS] == [3, 6, 0, 0]


def test_who_is_displaced_is_not_counted() -> None:
    table = table_of(1)
    for number in range(9):
        table.put(id_of(number), HOSTS[number // 4], NOW, 100 + number)
    assert table.counts() == {HOSTS[1]: 3, HOSTS[2]: 1}


def test_a_session_that_was_handed_over_is_found_and_not_counted() -> None:
    table = table_of(16)
    table.put(b"one", HOSTS[0], NOW, TTL)
    assert not table.give(b"two")
    assert table.give(b"one")
    assert not table.give(b"one")
    assert (table.counts(), table.count(NOW)) == ({HOSTS[0]: 0}, 1)
    assert table.get(b"one", NOW + 1) == HOSTS[0]
    assert table.count(NOW + TTL) == 1
    assert table.put(b"one", HOSTS[0], NOW, TTL) == 2
    assert table.counts() == {HOSTS[0]: 1}
    table.give(b"one")
    assert table.drop(b"one")
    assert table.counts() == {}


def test_sweeping_removes_what_has_expired() -> None:
    table = table_of(64)
    for number in range(40):
        table.put(id_of(number), HOSTS[number % 2], NOW, 10 + number % 2)
    table.give(id_of(0))
    assert table.sweep(0, 1000, NOW + 9) == 0
    assert table.counts() == {HOSTS[0]: 19, HOSTS[1]: 20}
    assert sum(table.sweep(start, 50, NOW + 10) for start in range(0, 256, 50)) == 20
    assert table.counts() == {HOSTS[1]: 20}
    assert table.count(NOW) == 20
    assert not table.drop(id_of(0))
    assert table.sweep(0, 1 << 40, NOW + 11) == 20
    assert table.counts() == {}


@pytest.mark.parametrize("buckets", [1, 15, 64, 1024])
def test_sixty_shares_are_the_whole_table(buckets: int) -> None:
    table = table_of(buckets)
    for number in range(2 * buckets):
        table.put(id_of(number), HOSTS[0], NOW, TTL)
    stored = table.count(NOW)
    assert sum(table.sweep_share(NOW + TTL) for _ in range(60)) == stored > 0
    assert table.counts() == {}


def test_no_number_is_left_for_a_host() -> None:
    table = table_of(4096)
    learned = [table.put(id_of(number), number * 0x9E3779B1 & 0xFFFFFFFF, NOW, TTL) for number in range(4095)]
    assert set(learned) == {0}
    assert table.put(b"one more", 1, NOW, TTL) == -1
    assert table.get(b"one more", NOW) is None
    assert table.drop(id_of(77))
    assert table.put(b"one more", 1, NOW, TTL) == 0
    assert table.get(b"one more", NOW) == 1
    assert table.live(77 * 0x9E3779B1 & 0xFFFFFFFF) == 0


def test_three_quarters_full_without_displacing_anybody() -> None:
    table = table_of(2048)
    sids = [id_of(number) for number in range(table.capacity * 3 // 4)]
    assert {table.put(sid, host_of(sid), NOW, TTL) for sid in sids} == {0}
    assert all(table.get(sid, NOW) == host_of(sid) for sid in sids)
    assert table.count(NOW) == len(sids)
