"""Outlier detection from the file to the model."""

import json
from typing import Any

import pytest

from fastproxy import config
from fastproxy.errors import ConfigError
from fastproxy.model import OutlierDetection
from tests.unit.config_files import V1, v1_cluster, v3_cluster, v3_file


@pytest.fixture
def read(tmp_path):
    """Loads a file; the outlier detection of its cluster."""

    def run(document: Any) -> OutlierDetection | None:
        file = tmp_path / "proxy.json"
        file.write_text(json.dumps(document))
        loaded = config.load(str(file))
        assert not loaded.warnings
        return loaded.configuration.clusters[0].outlier_detection

    return run


def with_fields(**fields):
    document = v3_file()
    v3_cluster(document)["outlier_detection"] = fields
    return document


def test_without(read):
    assert read(v3_file()) is None


def test_defaults_are_those_of_envoy(read):
    assert read(with_fields()) == OutlierDetection()


def test_what_the_file_says(read):
    found = read(
        with_fields(
            consecutive_5xx=3,
            interval="1s",
            base_ejection_time="5s",
            max_ejection_time="7s",
            max_ejection_percent=50,
            always_eject_one_host=True,
            split_external_local_origin_errors=True,
            enforcing_failure_percentage=100,
            successful_active_health_check_uneject_host=False,
        )
    )
    assert (found.consecutive_5xx, found.interval_s, found.base_ejection_time_s, found.max_ejection_time_s) == (
        3,
        1,
        5,
        7,
    )
    assert (found.max_ejection_percent, found.always_eject_one_host, found.enforcing_failure_percentage) == (
        50,
        True,
        100,
    )
    assert found.split_external_local_origin_errors
    assert not found.successful_active_health_check_uneject_host


def test_all_clusters_have_one_log_of_ejections(read):
    document = with_fields()
    document["cluster_manager"] = {"outlier_detection": {"event_log_path": "/ejections"}}
    assert read(document) == OutlierDetection(event_log_path="/ejections")
    document = json.loads(json.dumps(V1))
    v1_cluster(document)["outlier_detection"] = {}
    document["cluster_manager"]["outlier_detection"] = {"event_log_path": "/ejections"}
    assert read(document) == OutlierDetection(event_log_path="/ejections", always_eject_one_host=True)


def test_the_longest_time_is_at_least_the_base(read):
    assert read(with_fields(base_ejection_time="400s")).max_ejection_time_s == 400
    with pytest.raises(ConfigError, match="below base_ejection_time"):
        read(with_fields(base_ejection_time="400s", max_ejection_time="300s"))


def test_v1_always_ejects_one_host(read):
    document = json.loads(json.dumps(V1))
    v1_cluster(document)["outlier_detection"] = {"consecutive_5xx": 2, "interval_ms": 500}
    assert read(document) == OutlierDetection(consecutive_5xx=2, interval_s=0.5, always_eject_one_host=True)
