"""The log of ejections: lines as Envoy 1.40 has written them, but for times, addresses and names."""

import pytest

from fastproxy.health.ejection_log import EjectionLog
from fastproxy.health.outliers import Detector, Ejection, Volume
from fastproxy.model import Address, OutlierDetection

HOSTS = [Address("127.0.0.1", port) for port in range(1, 5)]
HEAD = ',"timestamp":"1970-01-01T00:00:01.250Z"'
HOST = ',"cluster_name":"nodes","upstream_url":"127.0.0.1:1"'


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "events")


class World:
    """Four hosts and the log of their ejections."""

    def __init__(self, path):
        self.path = path

    def detector(self, **fields):
        config = OutlierDetection(**{"max_ejection_percent": 100, "base_ejection_time_s": 1.0, **fields})
        detector = Detector(config, lambda: 0.5, EjectionLog(str(self.path), "nodes", lambda: 1.25))
        detector.keep(HOSTS)
        return detector

    def lines(self):
        return self.path.read_text().splitlines()


def test_failures_in_a_row(world):
    detector = world.detector()
    detector.failed(HOSTS[0], Ejection.CONSECUTIVE_5XX, 10.0)
    detector.look({}, 11.5)
    detector.failed(HOSTS[0], Ejection.CONSECUTIVE_LOCAL_ORIGIN_FAILURE, 14.0)
    assert world.lines() == [
        f'{{"type":"CONSECUTIVE_5XX"{HEAD}{HOST},"action":"EJECT","num_ejections":1,"enforced":true,'
        '"eject_consecutive_event":{}}',
        f'{{"type":"CONSECUTIVE_5XX"{HEAD},"secs_since_last_action":"1"{HOST},"action":"UNEJECT","num_ejections":1,'
        '"enforced":false}',
        f'{{"type":"CONSECUTIVE_LOCAL_ORIGIN_FAILURE"{HEAD},"secs_since_last_action":"2"{HOST},"action":"EJECT",'
        '"num_ejections":2,"enforced":true,"eject_consecutive_event":{}}',
    ]


def test_what_is_not_enforced_is_told_too(world):
    world.detector().failed(HOSTS[0], Ejection.CONSECUTIVE_GATEWAY_FAILURE, 10.0)
    assert world.lines() == [
        f'{{"type":"CONSECUTIVE_GATEWAY_FAILURE"{HEAD}{HOST},"action":"EJECT","num_ejections":0,"enforced":false,'
        '"eject_consecutive_event":{}}'
    ]


def test_one_too_many_is_no_event(world):
    detector = world.detector(max_ejection_percent=0)
    detector.failed(HOSTS[0], Ejection.CONSECUTIVE_5XX, 10.0)
    assert detector.overflow == 1
    assert not world.path.exists()


def test_a_check_that_passes_ends_an_ejection(world):
    detector = world.detector()
    detector.failed(HOSTS[0], Ejection.CONSECUTIVE_5XX, 10.0)
    detector.uneject(HOSTS[0], 10.4)
    assert '"secs_since_last_action":"0"' in world.lines()[1]


@pytest.mark.parametrize(("kind", "name"), [(0, "SUCCESS_RATE"), (1, "SUCCESS_RATE_LOCAL_ORIGIN")])
def test_success_rates(world, kind, name):
    detector = world.detector(
        success_rate_minimum_hosts=2, success_rate_request_volume=2, success_rate_stdev_factor=500
    )
    judge(detector, kind)
    (line,) = world.lines()
    assert line.startswith(f'{{"type":"{name}"')
    assert line.endswith(
        '"eject_success_rate_event":{"host_success_rate":0,"cluster_average_success_rate":75,'
        '"cluster_success_rate_ejection_threshold":53}}'
    )


@pytest.mark.parametrize(("kind", "name"), [(0, "FAILURE_PERCENTAGE"), (1, "FAILURE_PERCENTAGE_LOCAL_ORIGIN")])
def test_failure_percentages(world, kind, name):
    detector = world.detector(
        failure_percentage_minimum_hosts=2,
        failure_percentage_request_volume=2,
        enforcing_failure_percentage=100,
        enforcing_failure_percentage_local_origin=100,
    )
    judge(detector, kind)
    (line,) = world.lines()
    assert line.startswith(f'{{"type":"{name}"')
    assert line.endswith('"num_ejections":1,"enforced":true,"eject_failure_percentage_event":{"host_success_rate":0}}')


def judge(detector, kind):
    """An interval in which the first of the hosts fails always, the others never."""
    nothing = (Volume(), Volume())
    detector.look(dict.fromkeys(HOSTS, nothing), 0.0)
    volumes = [Volume(10, 0), *[Volume(10, 10)] * 3]
    pairs = [(each, Volume()) if kind == 0 else (Volume(), each) for each in volumes]
    detector.look(dict(zip(HOSTS, pairs, strict=True)), 1.0)
