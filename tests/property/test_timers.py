"""The timer wheel beside a sorted list: the same timers fire, never early, never more than a slot late."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fastproxy.timers import TimerWheel

TIMERS = 8
SLOT_MS = 4
DELAYS = st.integers(0, 20) | st.integers(0, 3000) | st.integers(0, 10_000_000)


class WheelBesideList(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 5_000
        self.wheel = TimerWheel(TIMERS, self.now)
        self.deadlines: dict[int, int] = {}

    @rule(number=st.integers(0, TIMERS - 1), delay=DELAYS)
    def set(self, number: int, delay: int) -> None:
        self.wheel.set(number, self.now + delay)
        self.deadlines[number] = self.now + delay

    @rule(number=st.integers(0, TIMERS - 1), removed=st.booleans())
    def disarm(self, number: int, removed: bool) -> None:
        if removed:
            self.wheel.remove(number)
        else:
            self.wheel.set(number, 0)
        self.deadlines.pop(number, None)

    @rule(step=DELAYS)
    def turn(self, step: int) -> None:
        self.now += step
        fired = self.wheel.turn(self.now)
        assert len(set(fired)) == len(fired)
        for number in fired:
            assert self.deadlines.pop(number) <= self.now, "too early"

    @rule()
    def wait(self) -> None:
        """Turn as often as the wheel asks for it, up to what would be due first."""
        due = min(self.deadlines.values(), default=0)
        while self.deadlines and self.now < due + SLOT_MS and self.wheel.wake_ms <= due + SLOT_MS:
            self.turn(max(self.wheel.wake_ms - self.now, 0))
            if due not in self.deadlines.values():
                return

    @invariant()
    def nobody_is_late(self) -> None:
        """Whoever is armed is due in the future, or in the slot at hand."""
        assert all(deadline + SLOT_MS > self.now for deadline in self.deadlines.values())

    @invariant()
    def the_wheel_wakes_in_time(self) -> None:
        if self.deadlines:
            assert 0 < self.wheel.wake_ms < max(self.now, *self.deadlines.values()) + 2 * SLOT_MS
            earliest = max(self.now, min(self.deadlines.values()))
            assert self.wheel.wake_ms < earliest + 2 * SLOT_MS


TestWheelBesideList = WheelBesideList.TestCase
