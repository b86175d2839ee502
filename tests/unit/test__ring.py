"""The hash functions and the ring against vectors that were confirmed on Envoy 1.40, and against the slow twin."""

from collections import Counter

import pytest

from fastproxy._ring import Ring, murmur, xx_hash
from tests import ring_twin

MAXIMUM = 8 * 1024 * 1024
SIZES = (1024, 1024, 1026, 1025, 1026, 1029, 1026, 1030, 1032, 1032, 1040)
FOUR_HOSTS = [b"127.0.0.1:%d" % port for port in range(23001, 23005)]
HASHES = [
    (b"", 0xEF46DB3751D8E999, 0xD5AFBA1336A3BE4B, 0x553E93901E462A6E),
    (b"a", 0xD24EC4F1A98C6E5B, 0xDEC2BC81C3CD46C6, 0x454DDEE488C1ED6B),
    (b"user-1", 0xA173746B114C6BE8, 0xA55238CC636C8C35, 0x3F3981D71E016440),
    (b"127.0.0.1:23001_0", 0x4B50074254DF23B2, 0x4B4BCD527E48C9B7, 0x5445A44135F18868),
    (b"127.0.0.1:23001_1", 0x254A6AD31D59E481, 0x6DC369982E24C5D4, 0xE0D823C8255C8DF4),
    (b"10.0.0.1:80_0", 0x75041381E7371A08, 0x886565A2D161B779, 0xBD8F6461ECFFB28C),
]


def ring(keys: list[bytes], weights: list[int] | None = None, minimum: int = 1024, maximum: int = MAXIMUM) -> Ring:
    return Ring(keys, weights or [1] * len(keys), minimum_size=minimum, maximum_size=maximum, murmur=False)


def counts(weights: list[int], minimum: int, maximum: int = MAXIMUM) -> list[int]:
    """Entries of each host."""
    found = Counter(
        host for _, host in ring([b"h%d" % i for i in range(len(weights))], weights, minimum, maximum).entries()
    )
    return [found[host] for host in range(len(weights))]


@pytest.mark.parametrize(("data", "seed_0", "seed_1", "murmur_2"), HASHES)
def test_hash_vectors(data: bytes, seed_0: int, seed_1: int, murmur_2: int) -> None:
    assert (xx_hash(data), xx_hash(data, 1), murmur(data)) == (seed_0, seed_1, murmur_2)


@pytest.mark.parametrize(("data", "seed_0", "seed_1", "murmur_2"), HASHES)
def test_the_twin_agrees_with_the_vectors(data: bytes, seed_0: int, seed_1: int, murmur_2: int) -> None:
    assert (ring_twin.xx_hash(data), ring_twin.xx_hash(data, 1), ring_twin.murmur(data)) == (seed_0, seed_1, murmur_2)


def test_hashes_of_every_length() -> None:
    text = bytes((7 * i + 3) & 255 for i in range(300))
    for length in range(len(text) + 1):
        data = text[:length]
        assert xx_hash(data) == ring_twin.xx_hash(data)
        assert xx_hash(data, 0x9E3779B97F4A7C15) == ring_twin.xx_hash(data, 0x9E3779B97F4A7C15)
        assert murmur(data) == ring_twin.murmur(data)


def test_several_header_lines_chain_the_seed() -> None:
    assert xx_hash(b"b", xx_hash(b"a")) == 0x76D9A1916DDCA8E6


@pytest.mark.parametrize(
    ("use_murmur", "lowest", "highest"),
    [
        (False, [(0x0008A7B18CE787E4, 1), (0x00D0B65592007CBB, 0), (0x00DEAFDD6BBC4DF0, 3)], (0xFFFB03F0152D5064, 2)),
        (True, [(0x002347995A1469D7, 1), (0x002EB234C6AE5CB8, 3), (0x00D08FB83E1DBDDC, 3)], (0xFF9DAEB9A0816E1F, 2)),
    ],
)
def test_ends_of_the_ring(use_murmur: bool, lowest: list[tuple[int, int]], highest: tuple[int, int]) -> None:
    entries = Ring(FOUR_HOSTS, [1] * 4, minimum_size=1024, maximum_size=MAXIMUM, murmur=use_murmur).entries()
    assert entries[:3] == lowest
    assert entries[-1] == highest
    assert entries == sorted(entries)


@pytest.mark.parametrize(
    ("key", "digest", "by_xx", "by_murmur"),
    [
        (b"user-0", 0x7C1B2034A0684560, 4, 1),
        (b"user-1", 0xA173746B114C6BE8, 3, 4),
        (b"user-2", 0x7395DD9943AB55E9, 4, 2),
        (b"user-3", 0xAE654A4BF3937DDE, 4, 3),
        (b"user-4", 0x3227A16A6007F168, 4, 3),
        (b"user-5", 0x76AF3591662752EB, 3, 1),
        (b"user-6", 0x517193542A78CB38, 2, 1),
        (b"user-7", 0x216DEC03713B4CFD, 4, 2),
    ],
)
def test_picks_confirmed_on_envoy(key: bytes, digest: int, by_xx: int, by_murmur: int) -> None:
    assert xx_hash(key) == digest
    for use_murmur, last_digit in ((False, by_xx), (True, by_murmur)):
        four = Ring(FOUR_HOSTS, [1] * 4, minimum_size=1024, maximum_size=MAXIMUM, murmur=use_murmur)
        assert four.choose_py(digest) == last_digit - 1


@pytest.mark.parametrize(
    ("hosts", "size"),
    list(zip((1, 2, 3, 5, 6, 7, 9, 10, 12, 24, 40), SIZES, strict=True)),
)
def test_size_for_equal_hosts(hosts: int, size: int) -> None:
    assert ring([b"h%d" % i for i in range(hosts)]).size == size


def test_weights_share_the_ring() -> None:
    assert counts([1, 2, 3, 7], 100) == [8, 16, 24, 56]


def test_a_small_maximum_is_shared_in_host_order() -> None:
    assert counts([1, 1, 1, 1], 6, 6) == [2, 1, 2, 1]


def test_a_maximum_below_the_number_of_hosts_leaves_hosts_out() -> None:
    assert sum(counts([1] * 5, 1, 4)) == 4


def test_past_the_last_entry_comes_the_first() -> None:
    four = ring(FOUR_HOSTS)
    entries = four.entries()
    assert entries[-1][0] < 2**64 - 1
    assert four.choose_py(2**64 - 1) == entries[0][1]
    assert four.choose_py(entries[-1][0] + 1) == entries[0][1]
    assert four.choose_py(entries[-1][0]) == entries[-1][1]
    assert four.choose_py(0) == entries[0][1]


def test_attempts_walk_the_ring() -> None:
    four = ring(FOUR_HOSTS)
    owners = [host for _, host in four.entries()]
    at = 1020
    walked = [four.choose_py(four.entries()[at][0], attempt) for attempt in range(10)]
    assert walked == [owners[(at + attempt) % len(owners)] for attempt in range(10)]
    assert four.choose_py(0, 2**32 - 1) == owners[(2**32 - 1) % len(owners)]


def test_equal_keys_keep_the_order_of_hosts() -> None:
    twins = ring([b"same", b"same"], minimum=16).entries()
    assert [host for _, host in twins] == [0, 1] * 8


def test_without_hosts_there_is_no_choice() -> None:
    empty = ring([])
    assert empty.size == 0
    assert empty.entries() == []
    assert empty.choose_py(5) is None


@pytest.mark.parametrize(
    ("keys", "weights", "minimum", "maximum"),
    [([b"a"], [], 1, 1), ([b"a"], [0], 1, 1), ([b"a"], [-1], 1, 1), ([b"a"], [1], 2, 1), ([b"a"], [1], -1, 1)],
)
def test_arguments_that_do_not_fit(keys: list[bytes], weights: list[int], minimum: int, maximum: int) -> None:
    with pytest.raises(ValueError, match="ring"):
        Ring(keys, weights, minimum_size=minimum, maximum_size=maximum, murmur=False)


def test_a_key_that_is_no_bytes() -> None:
    with pytest.raises(TypeError):
        ring(["a"])  # type: ignore[list-item]


def test_a_minimum_of_0_is_an_empty_ring() -> None:
    """Envoy accepts it, and then answers 503."""
    empty = ring([b"a", b"b"], minimum=0)
    assert empty.size == 0
    assert empty.entries() == []
    assert empty.choose_py(7) is None
    assert empty.position_py(7) is None


def test_normalized_weights_are_taken_as_they_are() -> None:
    shares = [0.1, 0.2, 0.7]
    given = Ring([b"a", b"b", b"c"], shares, minimum_size=50, maximum_size=MAXIMUM, murmur=False, normalized=True)
    assert given.entries() == ring([b"a", b"b", b"c"], [1, 2, 7], minimum=50).entries()
