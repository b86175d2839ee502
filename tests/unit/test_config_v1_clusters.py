"""Clusters of v1 that cannot be; what they mean is in test_v1_pairs.py."""

import json

import pytest

from fastproxy.config import v1
from tests.unit.config_files import CLUSTER_PATH, errors, tree, v1_cluster, warnings
from tests.unit.config_files import v1 as v1_file


def complaints(change):
    document = v1_file()
    change(document)
    root, report = tree(json.dumps(document, indent=1))
    v1.translate(root, report)
    return errors(report) + warnings(report)


CHECK = {"timeout_ms": 1, "interval_ms": 1, "unhealthy_threshold": 1, "healthy_threshold": 1}


@pytest.mark.parametrize(
    ("cluster", "key", "message"),
    [
        (
            {"dns_resolvers": ["10.0.0.1"]},
            ".dns_resolvers[0]",
            '"10.0.0.1" is no address of a resolver; write it as "10.0.0.1:53"',
        ),
        ({"health_check": {"type": "http", **CHECK}}, ".health_check", 'the required key "path" is missing'),
        (
            {"health_check": {"type": "redis", **CHECK}},
            ".health_check.type",
            'health checks of Redis are not supported; use "http" or "tcp"',
        ),
        (
            {"health_check": {"type": "tcp", **CHECK, "send": [{"binary": "0g"}], "receive": []}},
            ".health_check.send[0].binary",
            'expected bytes as pairs of hexadecimal digits, not the text "0g"',
        ),
        (
            {"outlier_detection": {"max_ejection_percent": 101}},
            ".outlier_detection.max_ejection_percent",
            "expected a whole number from 0 to 100, not 101",
        ),
        (
            {"type": "strict_dns", "hosts": [{"url": "unix:///run/a"}]},
            ".hosts[0].url",
            "Unix sockets are not supported yet; use an address of the form tcp://IP:port",
        ),
    ],
)
def test_mistakes(cluster, key, message):
    assert complaints(lambda d: v1_cluster(d).update(cluster)) == [(f"{CLUSTER_PATH}{key}", message)]
