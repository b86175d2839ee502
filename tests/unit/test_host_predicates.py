"""Hosts that retries leave out."""

import pytest

from fastproxy.host_predicates import HostPredicates
from fastproxy.model_clusters import Host
from fastproxy.model_listeners import Address
from fastproxy.model_routes import RetryPolicy

ADDRESS = Address("127.0.0.1", 1)
PLAIN = Host(ADDRESS)
CANARY = Host(ADDRESS, is_canary=True)
LABELLED = Host(ADDRESS, labels=(("stage", ('"prod"',)), ("zone", ('"a"', '"b"'))))
STAGE, ZONE, OTHER = ("stage", '"prod"'), ("zone", '"b"'), ("zone", '"c"')


def predicates(**fields: object) -> HostPredicates:
    return HostPredicates(RetryPolicy(**fields))  # type: ignore[arg-type]


def test_any_host_will_do() -> None:
    assert predicates().are_none
    assert not any(predicates().reject(host, tried) for host in (PLAIN, CANARY, LABELLED) for tried in (True, False))


def test_hosts_that_were_tried() -> None:
    found = predicates(avoids_previous_hosts=True)
    assert not found.are_none
    assert [found.reject(PLAIN, tried) for tried in (True, False)] == [True, False]


def test_canaries() -> None:
    found = predicates(omits_canary_hosts=True)
    assert not found.are_none
    assert [found.reject(host, True) for host in (CANARY, PLAIN)] == [True, False]


@pytest.mark.parametrize(
    ("labels", "rejected"),
    [
        ((STAGE,), True),
        ((ZONE,), True),
        ((STAGE, ZONE), True),
        ((STAGE, OTHER), False),
        ((("stage", '["prod"]'),), False),
        ((("nothing", "null"),), False),
    ],
)
def test_hosts_with_all_of_the_labels(labels: tuple[tuple[str, str], ...], rejected: bool) -> None:
    found = predicates(omitted_labels=(labels,))
    assert not found.are_none
    assert found.reject(LABELLED, False) is rejected
    assert not found.reject(PLAIN, True)


def test_one_predicate_is_enough() -> None:
    found = predicates(avoids_previous_hosts=True, omits_canary_hosts=True, omitted_labels=((OTHER,), (STAGE,)))
    assert [found.reject(host, False) for host in (PLAIN, CANARY, LABELLED)] == [False, True, True]
