"""Which hosts are ejected, for how long, and which come back."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastproxy.health.ejection_log import EjectionLog
from fastproxy.health.outliers import Detector, Ejection, Volume
from fastproxy.model import Address, OutlierDetection

FIVE = Ejection.CONSECUTIVE_5XX
HOSTS = [Address("127.0.0.1", port) for port in range(1, 6)]
UNTOLD = EjectionLog("", "nodes")


def detector(hosts=3, **fields):
    made = Detector(OutlierDetection(**{"max_ejection_percent": 100, **fields}), lambda: 0.0, UNTOLD)
    made.keep(HOSTS[:hosts])
    return made


@pytest.mark.parametrize(
    ("percent", "always", "hosts", "ejected"),
    [
        (33, False, 3, 0),
        (34, False, 3, 1),
        (66, False, 3, 1),
        (67, False, 3, 2),
        (100, False, 3, 3),
        (10, False, 3, 0),
        (10, True, 3, 1),
        (0, True, 3, 1),
        (50, False, 2, 1),
    ],
)
def test_how_many_may_be_ejected(percent, always, hosts, ejected):
    """The numbers are those of Envoy 1.40, asked with so many hosts that all answer 500."""
    made = detector(hosts, max_ejection_percent=percent, always_eject_one_host=always)
    changed = [made.failed(host, FIVE, 0.0) for host in HOSTS[:hosts]]
    assert (sum(changed), made.ejected) == (ejected, ejected)
    assert (made.detected[FIVE], made.enforced[FIVE], made.overflow) == (hosts, ejected, hosts - ejected)


def test_an_ejected_host_is_not_ejected_again():
    made = detector()
    assert made.failed(HOSTS[0], FIVE, 0.0)
    assert not made.failed(HOSTS[0], FIVE, 1.0)
    assert made.detected[FIVE] == 1


def test_a_host_that_is_not_there():
    assert not detector().failed(HOSTS[4], FIVE, 0.0)


def test_what_is_not_enforced_is_only_detected():
    made = detector()
    assert not made.failed(HOSTS[0], Ejection.CONSECUTIVE_GATEWAY_FAILURE, 0.0)
    assert made.detected[Ejection.CONSECUTIVE_GATEWAY_FAILURE] == 1


def test_enforcing_is_a_chance():
    chance = Random(7)
    made = Detector(OutlierDetection(max_ejection_percent=100, enforcing_consecutive_5xx=30), chance.random, UNTOLD)
    made.keep(HOSTS)
    for _ in range(1000):
        made.failed(HOSTS[0], FIVE, 0.0)
        made.uneject(HOSTS[0], 0.0)
    assert 250 < made.enforced[FIVE] < 350


def test_each_ejection_lasts_longer_up_to_a_limit():
    made = detector(base_ejection_time_s=10.0, max_ejection_time_s=25.0)
    now, lasted = 0.0, []
    for _ in range(5):
        made.failed(HOSTS[0], FIVE, now)
        begun = now
        while made.ejected:
            now += 1.0
            made.look({}, now)
        lasted.append(now - begun)
    assert lasted == [10, 20, 25, 25, 25]


def test_a_host_that_stays_well_is_forgiven():
    made = detector(base_ejection_time_s=10.0)
    for now in (0.0, 100.0):
        made.failed(HOSTS[0], FIVE, now)
        made.uneject(HOSTS[0], now)
    assert made[HOSTS[0]].backoff == 2
    made.look({}, 200.0)
    made.look({}, 210.0)
    assert made[HOSTS[0]].backoff == 0


def test_jitter_lengthens_an_ejection():
    made = Detector(
        OutlierDetection(max_ejection_percent=100, base_ejection_time_s=10.0, max_ejection_time_jitter_s=4.0),
        lambda: 0.5,
        UNTOLD,
    )
    made.keep(HOSTS)
    made.failed(HOSTS[0], FIVE, 0.0)
    assert made.look({}, 11.9) == []
    assert made.look({}, 12.0) == [HOSTS[0]]


def volumes(*answers):
    return {host: (Volume(*each), Volume()) for host, each in zip(HOSTS, answers, strict=False)}


def looked(made, *answers):
    """The hosts that change in an interval with so many requests and successes."""
    made.look(volumes(*[(0, 0)] * len(answers)), 0.0)
    return made.look(volumes(*answers), 1.0)


GOOD = (100, 100)


def test_success_rate():
    made = detector(5, success_rate_stdev_factor=1900)
    assert looked(made, GOOD, GOOD, GOOD, GOOD, (100, 50)) == [HOSTS[4]]
    assert made.rates[0].average == 90
    assert made.rates[0].ejection_threshold == pytest.approx(90 - 1.9 * 20)
    assert made[HOSTS[0]].success_rates == [100, -1]
    assert made.enforced[Ejection.SUCCESS_RATE] == 1


def test_no_success_rate_of_few_hosts_or_requests():
    assert looked(detector(4), GOOD, GOOD, GOOD, (100, 0)) == []
    few = detector(5)
    assert looked(few, GOOD, GOOD, GOOD, (99, 99), (99, 0)) == []
    assert few[HOSTS[4]].success_rates[0] == 0  # enough for a failure percentage, which nobody enforces
    assert few.rates[0].average == -1


def test_failure_percentage():
    config = {"enforcing_failure_percentage": 100, "failure_percentage_minimum_hosts": 2}
    assert looked(detector(3, **config), GOOD, (50, 7), (49, 0)) == [HOSTS[1]]  # the last one has too few
    assert looked(detector(3, **config), GOOD, (50, 8), (49, 0)) == []


def test_rates_of_connecting_are_rates_of_their_own():
    config = {"success_rate_minimum_hosts": 3, "success_rate_stdev_factor": 1000}
    made = detector(3, **config)
    zero = {host: (Volume(), Volume()) for host in HOSTS[:3]}
    made.look(zero, 0.0)
    after = {host: (Volume(100, 100), Volume(100, 100)) for host in HOSTS[:3]}
    after[HOSTS[1]] = (Volume(100, 100), Volume(100, 0))
    assert made.look(after, 1.0) == [HOSTS[1]]
    assert made.enforced[Ejection.LOCAL_ORIGIN_SUCCESS_RATE] == 1


def test_only_requests_of_the_last_interval_count():
    made = detector(5)
    looked(made, *[(1000, 0)] * 5)
    assert made.look(volumes(*[(1000, 0)] * 5), 2.0) == []
    assert made[HOSTS[0]].success_rates[0] == -1


def test_hosts_that_stay_keep_what_is_known_of_them():
    made = detector()
    made.failed(HOSTS[1], FIVE, 0.0)
    made.keep(HOSTS[1:4])
    assert (made.ejected, HOSTS[0] in made, HOSTS[3] in made) == (1, False, True)
    other = detector()
    other.inherit(made)
    assert (other.ejected, other.enforced[FIVE]) == (1, 1)


@given(
    st.lists(st.tuples(st.sampled_from(HOSTS), st.sampled_from(list(Ejection)), st.booleans()), max_size=40), st.data()
)
def test_never_more_than_the_limit(events, data):
    percent = data.draw(st.integers(0, 100))
    made = detector(5, max_ejection_percent=percent, base_ejection_time_s=2.0, enforcing_failure_percentage=100)
    for now, (host, why, look) in enumerate(events):
        made.failed(host, why, float(now))
        if look:
            made.look({}, float(now))
        assert made.ejected * 100 <= percent * 5
