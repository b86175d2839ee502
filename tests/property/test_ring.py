"""The compiled ring against its slow twin, and what consistency promises when hosts come and go."""

from hypothesis import given
from hypothesis import strategies as st

from fastproxy._ring import Ring, murmur, xx_hash
from tests import ring_twin

HASH = st.integers(0, 2**64 - 1)
KEYS = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8, unique=True)
MAXIMUM = 8 * 1024 * 1024


@given(st.binary(max_size=400), HASH)
def test_hashes(data: bytes, seed: int) -> None:
    assert xx_hash(data, seed) == ring_twin.xx_hash(data, seed)
    assert murmur(data) == ring_twin.murmur(data)


@given(KEYS, st.data(), st.integers(1, 300), st.integers(0, 300), st.booleans())
def test_the_same_ring_as_the_twin(
    keys: list[bytes], data: st.DataObject, least: int, more: int, by_murmur: bool
) -> None:
    weights = data.draw(st.lists(st.integers(1, 30), min_size=len(keys), max_size=len(keys)))
    ring = Ring(keys, weights, minimum_size=least, maximum_size=least + more, murmur=by_murmur)
    assert ring.entries() == ring_twin.entries(keys, weights, least, least + more, by_murmur)


@given(KEYS, st.lists(HASH, min_size=1, max_size=20), st.integers(0, 2**32 - 1), st.booleans())
def test_the_same_choice_as_the_twin(keys: list[bytes], hashes: list[int], attempt: int, by_murmur: bool) -> None:
    ring = Ring(keys, [1] * len(keys), minimum_size=40, maximum_size=MAXIMUM, murmur=by_murmur)
    entries = ring.entries()
    near = [position + step for position, _ in entries for step in (-1, 0, 1) if 0 <= position + step < 2**64]
    for request_hash in hashes + near:
        assert ring.choose_py(request_hash) == ring_twin.choose(entries, request_hash)
        assert ring.choose_py(request_hash, attempt) == ring_twin.choose(entries, request_hash, attempt)


@given(st.integers(2, 8), st.data(), st.lists(HASH, min_size=1, max_size=50))
def test_a_host_that_leaves_moves_only_its_own_keys(hosts: int, data: st.DataObject, hashes: list[int]) -> None:
    """Holds exactly when every host keeps its number of entries, so the minimum is a multiple of both counts."""
    keys = [b"10.0.0.%d:80" % i for i in range(hosts)]
    gone = data.draw(st.integers(0, hosts - 1))
    before = Ring(keys, [1] * hosts, minimum_size=20 * hosts, maximum_size=MAXIMUM, murmur=False)
    left = keys[:gone] + keys[gone + 1 :]
    after = Ring(left, [1] * len(left), minimum_size=20 * len(left), maximum_size=MAXIMUM, murmur=False)
    for request_hash in hashes:
        first, second = before.choose_py(request_hash), after.choose_py(request_hash)
        assert first is not None
        assert second is not None
        if first != gone:
            assert left[second] == keys[first]
