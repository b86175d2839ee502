"""Numbers for hosts, and their counts."""

import mmap
import random
from collections import Counter

import pytest

from fastproxy._session_hosts import SessionHosts

REGION_BYTES = 256 * 1024
HOSTS = 4095


def hosts_of() -> SessionHosts:
    return SessionHosts(mmap.mmap(-1, REGION_BYTES))


def test_a_host_has_one_number() -> None:
    hosts = hosts_of()
    numbers = [hosts.take(digest) for digest in (7, 8, 7, 0, 0)]
    assert numbers[0] == numbers[2]
    assert numbers[3] == numbers[4]
    assert len(set(numbers)) == 3
    assert all(0 < number <= HOSTS for number in numbers)
    assert hosts.counts() == {7: 2, 8: 1, 0: 2}
    assert [hosts.live(digest) for digest in (7, 8, 0, 9)] == [2, 1, 2, 0]


def test_hosts_with_the_same_home() -> None:
    hosts = hosts_of()
    digests = [5 + HOSTS * step for step in range(300)]
    numbers = {digest: hosts.take(digest) for digest in digests}
    assert len(set(numbers.values())) == 300
    assert {digest: hosts.take(digest) for digest in digests} == numbers
    assert hosts.counts() == dict.fromkeys(digests, 2)


def test_a_host_that_comes_back_has_its_number() -> None:
    hosts = hosts_of()
    number = hosts.take(7)
    hosts.give_back(number)
    assert (hosts.counts(), hosts.live(7)) == ({}, 0)
    hosts.take(7 + HOSTS)
    assert hosts.take(7) == number


def test_as_many_hosts_as_there_are_numbers() -> None:
    hosts = hosts_of()
    chance = random.Random(1)
    digests = chance.sample(range(2**32), HOSTS)
    assert {hosts.take(digest) for digest in digests} == set(range(1, HOSTS + 1))
    assert hosts.take(2**32 - 1) == -1
    assert all(hosts.live(digest) == 1 for digest in digests)


def test_a_number_without_sessions_goes_to_another_host() -> None:
    hosts = hosts_of()
    numbers = [hosts.take(digest) for digest in range(HOSTS)]
    hosts.give_back(numbers[2000])
    assert hosts.take(99_999) == numbers[2000]
    assert (hosts.live(2000), hosts.live(99_999)) == (0, 1)
    assert hosts.take(2000) == -1


def test_hosts_that_come_and_go_for_ever() -> None:
    """Far more than there are numbers, few at a time."""
    hosts = hosts_of()
    chance = random.Random(2)
    held: list[tuple[int, int]] = []
    for _ in range(20_000):
        if len(held) > 100:
            hosts.give_back(held.pop(chance.randrange(len(held)))[1])
        digest = chance.randrange(2**32)
        held.append((digest, hosts.take(digest)))
        assert held[-1][1] > 0
    assert len({number for _, number in held}) == len(held)
    assert hosts.counts() == Counter(digest for digest, _ in held)


@pytest.mark.parametrize("number", [0, HOSTS + 1])
def test_no_such_number(number: int) -> None:
    with pytest.raises(IndexError):
        hosts_of().give_back(number)


@pytest.mark.parametrize("region", [bytearray(REGION_BYTES - 1), memoryview(bytearray(2 * REGION_BYTES))[1:]])
def test_a_region_that_does_not_serve(region: bytearray | memoryview) -> None:
    with pytest.raises(ValueError, match="registry"):
        SessionHosts(region)
