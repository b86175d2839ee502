"""What becomes of a host by the outcomes of its checks, and when the next one is due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.health.checks import CheckState, Outcome, Transition, delay_s, first_delay_s
from fastproxy.model import HealthCheck, HealthFlag, TcpProbe

FAILED = HealthFlag.FAILED_ACTIVE_HC


def check(**fields):
    intervals = {
        "interval_s": 1.0,
        "no_traffic_interval_s": 60.0,
        "no_traffic_healthy_interval_s": 90.0,
        "unhealthy_interval_s": 2.0,
        "unhealthy_edge_interval_s": 3.0,
        "healthy_edge_interval_s": 4.0,
    }
    thresholds = {"unhealthy_threshold": 3, "healthy_threshold": 2}
    return HealthCheck(TcpProbe(), 1.0, **{**intervals, **thresholds, **fields})


def fate(state, *outcomes):
    """The transitions, one after the other."""
    return [state.take(outcome, check()) for outcome in outcomes]


def test_the_first_success_is_enough():
    state = CheckState(int(FAILED | HealthFlag.PENDING_ACTIVE_HC))
    assert fate(state, Outcome.SUCCESS) == [Transition.CHANGED]
    assert state.flags == 0


def test_later_it_takes_as_many_as_the_threshold_says():
    state = CheckState(FAILED, is_first=False)
    assert fate(state, Outcome.SUCCESS, Outcome.SUCCESS) == [Transition.PENDING, Transition.CHANGED]


def test_a_failure_between_begins_the_row_again():
    state = CheckState(FAILED, is_first=False)
    fate(state, Outcome.SUCCESS, Outcome.NETWORK, Outcome.SUCCESS)
    assert state.flags == FAILED


@pytest.mark.parametrize("outcome", [Outcome.NETWORK, Outcome.TIMEOUT, Outcome.RETRIABLE])
def test_a_host_that_cannot_be_asked_fails_by_and_by(outcome):
    state = CheckState(0, is_first=False)
    assert fate(state, outcome, outcome) == [Transition.PENDING, Transition.PENDING]
    assert state.flags == 0
    assert fate(state, outcome) == [Transition.CHANGED]
    assert bool(state.flags & HealthFlag.ACTIVE_HC_TIMEOUT) == (outcome is Outcome.TIMEOUT)


@pytest.mark.parametrize("outcome", [Outcome.FAILURE, Outcome.PASSIVE])
def test_a_wrong_answer_fails_at_once(outcome):
    state = CheckState(0, is_first=False)
    assert fate(state, outcome) == [Transition.CHANGED]
    assert state.flags == FAILED


def test_degraded_comes_and_goes_at_once():
    state = CheckState(FAILED)
    assert fate(state, Outcome.DEGRADED) == [Transition.CHANGED]
    assert state.flags == HealthFlag.DEGRADED_ACTIVE_HC
    assert fate(state, Outcome.DEGRADED, Outcome.SUCCESS) == [Transition.UNCHANGED, Transition.CHANGED]
    assert state.flags == 0


def test_a_host_that_excludes_itself_is_back_with_its_first_good_row():
    state = CheckState(0, is_first=False)
    state.take(Outcome.PASSIVE, check(), excludes=True)
    assert state.flags == FAILED | HealthFlag.EXCLUDED_VIA_IMMEDIATE_HC_FAIL
    fate(state, Outcome.SUCCESS, Outcome.SUCCESS)
    assert state.flags == 0


OUTCOMES = st.lists(st.sampled_from(list(Outcome)), max_size=30)


@given(OUTCOMES, st.integers(1, 5), st.integers(1, 5))
def test_flags_follow_the_rows(outcomes, unhealthy, healthy):
    """A plain account: the end of the list of outcomes says all."""
    state, config = CheckState(FAILED), check(unhealthy_threshold=unhealthy, healthy_threshold=healthy)
    failed, good, bad = True, 0, 0
    for place, outcome in enumerate(outcomes):
        state.take(outcome, config)
        good, bad = (good + 1, 0) if outcome.passes else (0, bad + 1)
        if failed and outcome.passes and (place == 0 or good >= healthy):
            failed, good = False, 0
        elif not failed and not outcome.passes and (outcome.fails_at_once or bad >= unhealthy):
            failed, bad = True, 0
        elif failed:
            bad = 0
        assert bool(state.flags & FAILED) == failed
        assert bool(state.flags & HealthFlag.DEGRADED_ACTIVE_HC) <= (Outcome.DEGRADED in outcomes[: place + 1])


@pytest.mark.parametrize(
    ("passes", "transition", "has_traffic", "delay"),
    [
        (True, Transition.UNCHANGED, True, 1.0),
        (True, Transition.PENDING, True, 4.0),
        (True, Transition.CHANGED, True, 1.0),
        (False, Transition.UNCHANGED, True, 2.0),
        (False, Transition.PENDING, True, 3.0),
        (False, Transition.CHANGED, True, 2.0),
        (True, Transition.UNCHANGED, False, 90.0),
        (True, Transition.PENDING, False, 60.0),
        (False, Transition.CHANGED, False, 60.0),
    ],
)
def test_intervals(passes, transition, has_traffic, delay):
    assert delay_s(check(), passes, transition, has_traffic, lambda: 0.0) == delay


def test_jitter_is_added():
    config = check(interval_jitter_percent=50, interval_jitter_s=0.2, initial_jitter_s=8.0)
    assert delay_s(config, True, Transition.UNCHANGED, True, lambda: 0.5) == 1.0 + 0.25 + 0.1
    assert first_delay_s(config, lambda: 0.25) == 2.0


def test_no_interval_is_no_time_at_all():
    assert delay_s(check(interval_s=0.0), True, Transition.UNCHANGED, True, lambda: 0.0) > 0
