"""The timer wheel: when timers fire, and when the wheel asks to be turned."""

import pytest

from fastproxy.timers import TimerWheel

START = 1_000_000
FINE = 4
COARSE = 1024


@pytest.mark.parametrize("delay", [1, 3, 4, 5, 1000, 1024, 5000, 262_144, 300_000, 3_600_000])
def test_a_timer_fires_at_its_deadline_or_one_slot_later(delay):
    wheel = TimerWheel(1, START)
    wheel.set(0, START + delay)
    now = START
    fired: list[int] = []
    while not fired:
        assert wheel.wake_ms > now
        now = wheel.wake_ms
        fired = wheel.turn(now)
    assert fired == [0]
    assert START + delay <= now < START + delay + FINE


def test_a_wheel_without_timers_need_not_be_turned():
    wheel = TimerWheel(2, START)
    assert wheel.wake_ms == 0
    wheel.set(0, START + 100)
    wheel.set(1, START + 100_000)
    assert sorted(wheel.turn(START + 200_000)) == [0, 1]
    assert wheel.wake_ms == 0


def test_a_disarmed_timer_does_not_fire():
    wheel = TimerWheel(2, START)
    wheel.set(0, START + 10)
    wheel.set(1, START + 10)
    wheel.set(0, 0)
    wheel.remove(1)
    assert wheel.turn(START + 1000) == []


def test_a_timer_fires_once():
    wheel = TimerWheel(1, START)
    wheel.set(0, START + 10)
    assert wheel.turn(START + 20) == [0]
    assert wheel.turn(START + 5000) == []


def test_moving_a_timer_later_and_earlier():
    wheel = TimerWheel(1, START)
    wheel.set(0, START + 1000)
    wheel.set(0, START + 100_000)
    assert wheel.turn(START + 2000) == []
    wheel.set(0, START + 2100)
    assert wheel.turn(START + 2104) == [0]


def test_a_deadline_that_has_passed_fires_next():
    wheel = TimerWheel(1, START)
    wheel.set(0, START - 500)
    assert START < wheel.wake_ms <= START + FINE
    assert wheel.turn(wheel.wake_ms) == [0]


def test_the_wheel_stops_and_goes_on_after_hours():
    """A machine that slept: everything due fires, nothing else."""
    wheel = TimerWheel(3, START)
    wheel.set(0, START + 10)
    wheel.set(1, START + 3_600_000)
    wheel.set(2, START + 8_000_000)
    assert sorted(wheel.turn(START + 7_200_000)) == [0, 1]
    assert wheel.turn(START + 8_000_004) == [2]


@pytest.mark.parametrize("distance", [255 * FINE, 256 * FINE, 255 * COARSE, 256 * COARSE, 257 * COARSE])
def test_where_one_ring_ends_and_the_next_begins(distance):
    wheel = TimerWheel(3, START)
    for number, offset in enumerate((-1, 0, 1)):
        wheel.set(number, START + distance + offset)
    fired: list[int] = []
    while len(fired) < 3:
        fired += wheel.turn(wheel.wake_ms)
    assert sorted(fired) == [0, 1, 2]


def test_a_timer_that_does_not_exist():
    wheel = TimerWheel(2, START)
    with pytest.raises(IndexError):
        wheel.set(2, START)
    with pytest.raises(IndexError):
        wheel.remove(7)
