"""The compiled balancers against their slow twins."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from fastproxy._maglev import MaglevTable
from fastproxy._ring_sort import sorted_entries
from fastproxy.active_requests import ActiveRequests
from fastproxy.bounded_load import BoundedLoad
from fastproxy.edf import Edf
from fastproxy.host_sets import host_sets, load
from fastproxy.model import Address, HealthConfig, HealthStatus, Host
from tests import balancing_twin

HASH = st.integers(0, 2**64 - 1)
WEIGHTS = st.lists(st.integers(1, 50), min_size=1, max_size=9)
PRIMES = st.sampled_from([2, 3, 5, 7, 11, 13, 101, 499])


def parts(weights: list[int]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


@given(WEIGHTS, PRIMES)
def test_the_same_table_as_the_twin(weights: list[int], size: int) -> None:
    keys = [b"10.0.0.%d:80" % host for host in range(len(weights))]
    assert MaglevTable(keys, parts(weights), size).entries() == balancing_twin.maglev(keys, parts(weights), size)


@given(WEIGHTS, st.data(), HASH, st.integers(100, 400), st.integers(0, 30))
def test_the_same_bound_as_the_twin(
    weights: list[int], data: st.DataObject, request_hash: int, factor: int, elsewhere: int
) -> None:
    count = len(weights)
    active = data.draw(st.lists(st.integers(0, 60), min_size=count, max_size=count))
    first = data.draw(st.integers(0, count - 1))
    row = memoryview(array("Q", [sum(active) + elsewhere, *active]))
    bound = BoundedLoad(range(count), parts(weights), ActiveRequests([row], 0, range(1, count + 1)), factor)
    expected = balancing_twin.bounded(request_hash, first, parts(weights), active, sum(active) + elsewhere, factor)
    assert bound.choose_py(request_hash, first) == expected


@given(WEIGHTS)
def test_the_same_turns_as_the_twin(weights: list[int]) -> None:
    edf = Edf(weights)
    assert [edf.take(weights) for _ in range(99)] == balancing_twin.turns(weights, 99, weights.__getitem__)


@given(st.lists(st.integers(0, 30).map(lambda digest: digest << 59), max_size=400), st.booleans())
def test_any_entries_are_sorted(hashes: list[int], like_envoy: bool) -> None:
    entries = [(digest, number) for number, digest in enumerate(hashes)]
    found = sorted_entries(entries, like_envoy=like_envoy)
    assert sorted(found) == sorted(entries)
    assert [digest for digest, _ in found] == sorted(hashes)


HOSTS = st.lists(
    st.builds(
        Host,
        st.integers(1, 65535).map(lambda port: Address("127.0.0.1", port)),
        weight=st.integers(1, 9),
        priority=st.integers(0, 3),
        health_status=st.sampled_from(HealthStatus),
    ),
    max_size=12,
)


@given(HOSTS, st.integers(0, 100), st.integers(1, 300), st.booleans())
def test_everything_is_shared_out(hosts: list[Host], threshold: int, factor: int, by_weight: bool) -> None:
    config = HealthConfig(threshold, factor, weighted_priority_health=by_weight)
    shares = load(host_sets(hosts), hosts, config).shares()
    assert sum(share.percent for share in shares) == 100
    assert all(share.percent > 0 for share in shares)
