"""From one answer to the next lookup."""

import pytest

from fastproxy.model import Cluster, RefreshRate
from fastproxy.refresh_rates import MIN_RETRY_S, MIN_TTL_S, RefreshRates


def rates(chance: float = 0.5, **fields) -> RefreshRates:
    return RefreshRates(Cluster("c", **{"dns_refresh_rate_s": 7.0, **fields}), lambda: chance)


def after_success(found: RefreshRates, ttl_s: float | None) -> float:
    found.succeed("a", ttl_s)
    return found.delay_s("a")


def test_what_was_never_asked_for_is_asked_for_at_once():
    assert rates().delay_s("a") == 0.0


def test_answers_are_refreshed_as_configured():
    assert after_success(rates(), 3.0) == 7.0


@pytest.mark.parametrize(("ttl_s", "delay_s"), [(3.0, 3.0), (0.0, 7.0), (None, 7.0), (0.1, MIN_TTL_S)])
def test_a_time_to_live_counts_where_it_is_asked_for(ttl_s, delay_s):
    assert after_success(rates(respect_dns_ttl=True), ttl_s) == delay_s


def test_no_time_to_live_asks_too_often():
    assert after_success(rates(respect_dns_ttl=True, dns_refresh_rate_s=0.01), 0.0) == MIN_TTL_S


def test_jitter_is_added():
    assert after_success(rates(0.5, dns_jitter_s=4.0), None) == 9.0
    assert after_success(rates(0.25, dns_jitter_s=4.0, respect_dns_ttl=True), 30.0) == 31.0


def after_failures(found: RefreshRates, count: int) -> list[float]:
    delays = []
    for _ in range(count):
        found.fail("a")
        delays.append(found.delay_s("a"))
    return delays


def test_failures_are_retried_as_configured():
    assert after_failures(rates(dns_jitter_s=4.0), 2) == [7.0, 7.0]


def test_back_off_goes_up_to_its_limit_and_begins_anew_after_an_answer():
    found = rates(dns_failure_refresh_rate=RefreshRate(2.0, 7.0))
    assert after_failures(found, 4) == [1.0, 2.0, 3.5, 3.5]
    assert after_success(found, None) == 7.0
    assert after_failures(found, 1) == [1.0]


def test_back_off_never_spins():
    assert after_failures(rates(0.0, dns_failure_refresh_rate=RefreshRate(2.0, 7.0)), 1) == [MIN_RETRY_S]


def test_each_name_has_its_own_back_off():
    found = rates(dns_failure_refresh_rate=RefreshRate(2.0, 7.0))
    after_failures(found, 3)
    found.fail("b")
    assert found.delay_s("b") == 1.0
