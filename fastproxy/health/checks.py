"""What becomes of a host by the outcomes of its checks, and when the next one is due.

Source: Envoy's health checker (source/extensions/health_checkers/common/health_checker_base_impl.cc of 1.40).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from fastproxy.model import HealthCheck, HealthFlag

MIN_DELAY_S = 0.001


class Outcome(Enum):
    """How a check went. A host that answers wrongly fails at once, one that cannot be reached by and by."""

    SUCCESS = "success"
    DEGRADED = "degraded"
    FAILURE = "failure"
    RETRIABLE = "retriable"
    NETWORK = "network"
    TIMEOUT = "timeout"
    PASSIVE = "passive"
    """An answer to an ordinary request said that the host fails."""

    @property
    def passes(self) -> bool:
        return self in (Outcome.SUCCESS, Outcome.DEGRADED)

    @property
    def is_network(self) -> bool:
        return self in (Outcome.NETWORK, Outcome.TIMEOUT)

    @property
    def fails_at_once(self) -> bool:
        return self in (Outcome.FAILURE, Outcome.PASSIVE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe has found, and for people why. `excludes`: the host wants to be left out altogether; `verified`: it
    was looked at which service answers."""

    outcome: Outcome
    reason: str = ""
    excludes: bool = False
    verified: bool = False


class Transition(Enum):
    UNCHANGED = "unchanged"
    PENDING = "pending"
    """More outcomes like this one change the host."""
    CHANGED = "changed"


@dataclass(slots=True)
class CheckState:
    """One host: its flags (HealthFlag bits) and the outcomes in a row that may change them."""

    flags: int
    is_first: bool = True
    successes: int = 0
    failures: int = 0

    def take(self, outcome: Outcome, check: HealthCheck, *, excludes: bool = False) -> Transition:
        """Learn how a check went; what has become of the flags by it. `excludes`: the host has said so itself."""
        before = self.flags
        if excludes:
            self.flags |= HealthFlag.EXCLUDED_VIA_IMMEDIATE_HC_FAIL
        transition = self._pass(outcome, check) if outcome.passes else self._fail(outcome, check)
        self.flags &= ~HealthFlag.PENDING_ACTIVE_HC
        self.is_first = False
        return Transition.CHANGED if self.flags != before else transition

    def _pass(self, outcome: Outcome, check: HealthCheck) -> Transition:
        self.failures = 0
        transition = Transition.UNCHANGED
        if self.flags & HealthFlag.FAILED_ACTIVE_HC:
            self.successes += 1
            if not self.is_first and self.successes < check.healthy_threshold:
                transition = Transition.PENDING
            else:
                gone = HealthFlag.FAILED_ACTIVE_HC | HealthFlag.ACTIVE_HC_TIMEOUT
                self.flags &= ~(gone | HealthFlag.EXCLUDED_VIA_IMMEDIATE_HC_FAIL)
                self.successes = 0
        self.flags &= ~HealthFlag.DEGRADED_ACTIVE_HC
        if outcome is Outcome.DEGRADED:
            self.flags |= HealthFlag.DEGRADED_ACTIVE_HC
        return transition

    def _fail(self, outcome: Outcome, check: HealthCheck) -> Transition:
        self.successes = 0
        if self.flags & HealthFlag.FAILED_ACTIVE_HC:
            self._note_timeout(outcome)
            return Transition.UNCHANGED
        self.failures += 1
        if not outcome.fails_at_once and self.failures < check.unhealthy_threshold:
            return Transition.PENDING
        self.failures = 0
        self.flags |= HealthFlag.FAILED_ACTIVE_HC
        self._note_timeout(outcome)
        return Transition.CHANGED

    def _note_timeout(self, outcome: Outcome) -> None:
        self.flags &= ~HealthFlag.ACTIVE_HC_TIMEOUT
        if outcome is Outcome.TIMEOUT:
            self.flags |= HealthFlag.ACTIVE_HC_TIMEOUT


def delay_s(
    check: HealthCheck, passes: bool, transition: Transition, has_traffic: bool, chance: Callable[[], float]
) -> float:
    """How long to wait after an outcome. `chance` gives numbers from 0 up to but not including 1."""
    pending = transition is Transition.PENDING
    if not has_traffic:
        base_s = check.no_traffic_healthy_interval_s if passes and not pending else check.no_traffic_interval_s
    elif passes:
        base_s = check.healthy_edge_interval_s if pending else check.interval_s
    else:
        base_s = check.unhealthy_edge_interval_s if pending else check.unhealthy_interval_s
    jitter_s = base_s * check.interval_jitter_percent / 100 * chance() + check.interval_jitter_s * chance()
    return max(MIN_DELAY_S, base_s + jitter_s)


def first_delay_s(check: HealthCheck, chance: Callable[[], float]) -> float:
    """How long to wait before the first check of a host."""
    return check.initial_jitter_s * chance()
