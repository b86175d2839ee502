"""Hosts in the model: priorities, localities, health. Addresses and weights: test_config_build_clusters.py."""

import pytest

from fastproxy.config.build_hosts import build_hosts, build_locality_weights
from fastproxy.model import ClusterType, HealthStatus, Locality, LocalityWeight
from tests.unit.config_files import endpoint, errors, v3_cluster, v3_file, view, warnings
from tests.unit.yaml_lines import complaints


def cluster(*groups):
    document = v3_file()
    v3_cluster(document)["load_assignment"]["endpoints"] = list(groups)
    bootstrap, report = view(document)
    return bootstrap.child("static_resources").items("clusters")[0], report


def group(*ports, **more):
    return {"lb_endpoints": [endpoint("10.0.0.1", port) for port in ports], **more}


def built(*groups):
    found, report = cluster(*groups)
    hosts = build_hosts(found, ClusterType.STATIC, report)
    assert errors(report) == warnings(report) == []
    return hosts


def test_priority_and_locality_are_those_of_the_group():
    hosts = built(group(1, 2), group(3, priority=2, locality={"region": "r", "zone": "z", "sub_zone": "s"}))
    assert [host.address.port for host in hosts] == [1, 2, 3]
    assert [host.priority for host in hosts] == [0, 0, 2]
    assert [host.locality for host in hosts] == [Locality(), Locality(), Locality("r", "z", "s")]


@pytest.mark.parametrize("status", HealthStatus)
def test_health_status(status):
    given = group(1)
    given["lb_endpoints"][0]["health_status"] = status.name
    assert built(given)[0].health_status is status


def test_locality_weights():
    found, _ = cluster(
        group(1, locality={"zone": "a"}, load_balancing_weight=3),
        group(2, locality={"zone": "b"}),
        group(3, load_balancing_weight=9),
        group(4, locality={"zone": "a"}, load_balancing_weight=5, priority=1),
        group(5, locality={"zone": "a"}, load_balancing_weight=4),
    )
    zone = Locality(zone="a")
    assert build_locality_weights(found) == (LocalityWeight(0, zone, 4), LocalityWeight(1, zone, 5))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "port_value: 8002",
            "- endpoint: {address: {socket_address: {address: node-1, port_value: 8002}}}",
            '33:58: "node-1" is no IP address; write an IP address, or make the cluster strict_dns or logical_dns',
        ),
        (
            "port_value: 8002",
            "- endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}",
            "33:81: a host needs a port from 1 to 65535",
        ),
        (
            "port_value: 8002",
            "- endpoint: {hostname: a}",
            "33:21: an endpoint needs an address",
        ),
        (
            "port_value: 8002",
            '- endpoint: {address: {pipe: {path: "a\\0b"}}}',
            "33:45: the path of a Unix socket cannot hold a NUL",
        ),
    ],
)
def test_mistakes_have_their_places(tmp_path, old, new, message):
    assert complaints(tmp_path, old, new) == [message]


def test_metadata_for_load_balancing():
    given = group(1, 2, 3)
    for endpoint_, fields in zip(
        given["lb_endpoints"], ({"canary": True, "stage": ["a", "b"]}, {"canary": "true"}), strict=False
    ):
        endpoint_["metadata"] = {"filter_metadata": {"envoy.lb": fields, "other": {"canary": True}}}
    hosts = built(given)
    assert [host.is_canary for host in hosts] == [True, False, False]
    assert [host.labels for host in hosts] == [
        (("canary", ("true",)), ("stage", ('"a"', '"b"'))), (("canary", ('"true"',)),), (),
    ]  # fmt: skip
