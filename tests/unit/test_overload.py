"""A worker's part: the order of the actions, and how many descriptors are kept for what."""

import os

import pytest

from fastproxy.model import LoadShedPoint, OverloadAction, OverloadManager, ScaledTimer, TimerType
from fastproxy.overload import Overload, actions, points, reduced
from fastproxy.overload_watch import POINTS_AT
from fastproxy.stats import StatsLayout
from tests.unit.engine_world import configuration


def test_actions_have_the_places_that_the_supervisor_writes_to():
    assert actions() == list(range(len(OverloadAction)))


def test_points_have_the_places_that_the_supervisor_writes_to():
    assert points() == [POINTS_AT + place for place in range(len(LoadShedPoint))]


REDUCE = list(OverloadAction).index(OverloadAction.REDUCE_TIMEOUTS)
IDLE, STREAM, LIFE = TimerType


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(0, (600_000, 600_000, 1000)), (50, (301_000, 330_000, 1000)), (100, (2000, 60_000, 1000))],
)
def test_timeouts_get_shorter_with_the_pressure(percent, expected):
    """The third one is shorter already than what it could be reduced to."""
    scales = bytearray(64)
    overload = Overload(memoryview(scales))
    timers = (ScaledTimer(IDLE, 2.0), ScaledTimer(STREAM, None, 0.1), ScaledTimer(LIFE, 5.0))
    configured = configuration([], configuration={"overload": OverloadManager(timers=timers)})
    layout = StatsLayout(configured)
    row = memoryview(bytearray(8 * layout.slots)).cast("Q")
    overload.configure(configured, layout, [row])
    scales[REDUCE] = percent
    assert tuple(reduced(overload, *each) for each in ((IDLE, 600_000), (STREAM, 600_000), (LIFE, 1000))) == expected
    assert reduced(overload, IDLE, 0) == 0


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
