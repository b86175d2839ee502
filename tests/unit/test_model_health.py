"""What flags make of a host."""

import pytest

from fastproxy.model import Address, Health, HealthFlag, HealthStatus, Host
from fastproxy.model_health import flags_of, health_of, is_excluded, told


@pytest.mark.parametrize("flag", HealthFlag)
def test_a_flag_by_itself(flag):
    fails = flag.name.startswith("FAILED") or flag is HealthFlag.EDS_STATUS_DRAINING
    is_degraded = flag.name.startswith("DEGRADED")
    assert health_of(flag) is (Health.UNHEALTHY if fails else Health.DEGRADED if is_degraded else Health.HEALTHY)
    assert told(flag) == f"/{flag.name.lower()}"


def test_to_fail_outweighs_to_be_degraded():
    assert health_of(HealthFlag.FAILED_ACTIVE_HC | HealthFlag.DEGRADED_EDS_HEALTH) is Health.UNHEALTHY


def test_no_flags():
    assert (told(0), health_of(0), is_excluded(0)) == ("healthy", Health.HEALTHY, False)


def test_several_are_told_in_order():
    flags = HealthFlag.ACTIVE_HC_TIMEOUT | HealthFlag.FAILED_OUTLIER_CHECK | HealthFlag.FAILED_ACTIVE_HC
    assert told(flags) == "/failed_active_hc/failed_outlier_check/active_hc_timeout"


@pytest.mark.parametrize("status", HealthStatus)
def test_the_status_of_a_file_means_the_same_as_its_flags(status):
    assert health_of(flags_of(status)) is status.health


def test_a_host_has_the_flags_of_the_file_and_those_that_were_found():
    host = Host(Address("127.0.0.1", 1), health_status=HealthStatus.DEGRADED)
    assert host.health is Health.DEGRADED
    found = Host(Address("127.0.0.1", 1), found_flags=HealthFlag.EXCLUDED_VIA_IMMEDIATE_HC_FAIL)
    assert (found.health, found.is_excluded) == (Health.HEALTHY, True)
