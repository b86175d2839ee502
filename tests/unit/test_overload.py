"""A worker's part: the order of the actions, and how many descriptors are kept for what."""

import os

import pytest

from fastproxy.model import OverloadAction
from fastproxy.overload import Overload, actions


def test_actions_have_the_places_that_the_supervisor_writes_to():
    assert actions() == list(range(len(OverloadAction)))


def test_descriptors_that_are_no_connections_are_counted():
    overload = Overload(max_fds=1000)
    before = overload.other_fds
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(5)]
    try:
        overload.measure(2)
        assert overload.other_fds == before + 3
    finally:
        for file in files:
            os.close(file)


@pytest.mark.parametrize(("limit", "scarce", "reserved"), [(20000, 1000, 202), (1000, 50, 12), (100, 16, 6)])
def test_a_share_of_the_descriptors_is_kept(limit, scarce, reserved):
    overload = Overload(max_fds=limit)
    usable = limit - overload.other_fds
    assert (overload.scarce_at, overload.full_at) == (max(0, usable - scarce), max(0, usable - reserved))


def test_a_limit_that_is_too_low_for_anything_lets_nobody_in():
    overload = Overload(max_fds=1)
    assert (overload.scarce_at, overload.full_at) == (0, 0)
