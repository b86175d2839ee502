"""The log of what checks change."""

import json

import pytest

from fastproxy.health.checks import CheckState, Finding, Outcome
from fastproxy.health.events import EventLog, checker_type
from fastproxy.model import Address, EngineIoProbe, HealthFlag, TcpProbe
from tests.unit.health_checks import quick

FAILED, DEGRADED = int(HealthFlag.FAILED_ACTIVE_HC), int(HealthFlag.DEGRADED_ACTIVE_HC)
ADDRESS = Address("127.0.0.1", 8001)


@pytest.fixture
def told(tmp_path):
    """The lines of one event."""

    def run(before, after, outcome, **fields):
        path = tmp_path / "events.log"
        log = EventLog(quick(event_log_path=str(path), **fields), "nodes", lambda: 1.25)
        log.tell(ADDRESS, before, after, Finding(outcome))
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    return run


def test_a_host_that_fails(told):
    (line,) = told(CheckState(0, False), CheckState(FAILED, False), Outcome.TIMEOUT)
    assert line == {
        "health_checker_type": "HTTP",
        "host": {"socket_address": {"address": "127.0.0.1", "port_value": 8001}},
        "cluster_name": "nodes",
        "timestamp": "1970-01-01T00:00:01.250Z",
        "eject_unhealthy_event": {"failure_type": "NETWORK_TIMEOUT"},
    }


def names(lines):
    return [list(line)[-1] for line in lines]


def test_a_host_that_is_back(told):
    assert names(told(CheckState(FAILED), CheckState(0), Outcome.SUCCESS)) == ["add_healthy_event"]


def test_a_degraded_host(told):
    assert names(told(CheckState(0, False), CheckState(DEGRADED), Outcome.DEGRADED)) == ["degraded_healthy_host"]


def test_no_longer_degraded(told):
    assert names(told(CheckState(DEGRADED, False), CheckState(0), Outcome.SUCCESS)) == ["no_longer_degraded_host"]


def test_failures_that_change_nothing(told):
    assert names(told(CheckState(FAILED), CheckState(FAILED), Outcome.FAILURE)) == ["health_check_failure_event"]


def test_all_are_told_where_that_is_wanted(told):
    state = CheckState(FAILED, False)
    assert told(state, state, Outcome.FAILURE) == []
    assert names(told(state, state, Outcome.FAILURE, always_log_failures=True)) == ["health_check_failure_event"]


def test_so_are_successes(told):
    state = CheckState(0, False)
    assert told(state, state, Outcome.SUCCESS) == []
    assert names(told(state, state, Outcome.SUCCESS, always_log_successes=True)) == ["successful_health_check_event"]


def test_a_file_that_cannot_be_written_is_told_once(caplog):
    log = EventLog(quick(event_log_path="/proc/no/such/file"), "nodes")
    for _ in range(3):
        log.tell(ADDRESS, CheckState(0, False), CheckState(FAILED), Finding(Outcome.FAILURE))
    assert len(caplog.records) == 1


def test_types():
    assert [checker_type(quick(probe)) for probe in (None, TcpProbe(), EngineIoProbe())] == ["HTTP", "TCP", "ENGINE_IO"]
