"""What the client of a tunnel may send: at once, by and by, and in one message."""

from hypothesis import given
from hypothesis import strategies as st

from fastproxy.tunnel_meters import verdicts


def test_without_limits_everything_passes():
    assert verdicts((0, 0, 0, 0, 0, False), [(0, 1000, 10**9, 10**9)]) == [("passes", 0)]


def test_what_is_too_much_is_paid_for_afterwards():
    limits = (10, 5, 0, 0, 0, False)
    assert verdicts(limits, [(0, 5, 0, 0), (0, 3, 0, 0), (300, 0, 0, 0), (400, 1, 0, 0)]) == [
        ("passes", 0), ("pauses", 300), ("passes", 0), ("passes", 0),
    ]  # fmt: skip


def test_bytes_and_messages_are_counted_apart():
    limits = (10, 10, 1000, 100, 0, False)
    assert verdicts(limits, [(0, 1, 200, 0), (100, 11, 0, 0)]) == [("pauses", 100), ("pauses", 100)]


def test_who_is_closed():
    assert verdicts((10, 1, 0, 0, 0, True), [(0, 1, 0, 0), (0, 1, 0, 0)]) == [("passes", 0), ("too fast", 0)]
    assert verdicts((0, 0, 0, 0, 10, False), [(0, 1, 0, 10), (0, 0, 0, 11)]) == [("passes", 0), ("too large", 0)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 2000)), max_size=25))
def test_who_waits_as_told_is_held_to_the_rate(sent):
    """Behind the burst comes a byte a millisecond; what one read takes more is waited for before the next one."""
    steps, now, passed = [], 0, 0
    for pause_ms, amount in sent:
        now += pause_ms
        assert passed <= 500 + now
        steps.append((now, 0, amount, 0))
        passed += amount
        now += verdicts((0, 0, 1000, 500, 0, False), steps)[-1][1]
