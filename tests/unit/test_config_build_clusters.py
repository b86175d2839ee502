"""Clusters in the model: hosts, weights, balancers, limits."""

import pytest

from fastproxy.config.build_clusters import UPSTREAM_HTTP, build_clusters
from fastproxy.model import (
    Address,
    ClusterType,
    DnsLookupFamily,
    HashFunction,
    Host,
    LbPolicy,
    RingHashConfig,
    Thresholds,
)
from tests.unit.config_files import V3_CLUSTER_PATH, endpoint, errors, v3_cluster, v3_file, view, warnings


def built(change):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    assert errors(report) == []
    return build_clusters(bootstrap.child("static_resources"), report), report


def cluster(**fields):
    found, report = built(lambda d: v3_cluster(d).update(fields))
    assert errors(report) == []
    return found[0]


def endpoints(*hosts, **more):
    return {"cluster_name": "nodes", "endpoints": [{"lb_endpoints": list(hosts), **more}]}


def test_defaults():
    found = cluster()
    assert found.name == "nodes"
    assert found.type is ClusterType.STATIC
    assert found.connect_timeout_s == 0.25
    assert found.lb_policy is LbPolicy.RING_HASH
    assert found.hosts == (Host(Address("127.0.0.1", 8002)), Host(Address("127.0.0.1", 8003)))
    assert found.ring_hash == RingHashConfig()
    assert found.thresholds == Thresholds()
    assert found.idle_timeout_s == 3600
    assert found.max_requests_per_connection == 0


def test_envoy_s_defaults_for_what_is_left_out():
    found, _ = built(lambda d: [v3_cluster(d).pop(key) for key in ("type", "lb_policy", "connect_timeout")])
    assert (found[0].type, found[0].lb_policy) == (ClusterType.STATIC, LbPolicy.ROUND_ROBIN)
    assert (found[0].connect_timeout_s, found[0].dns_refresh_rate_s) == (5.0, 5.0)
    assert found[0].dns_lookup_family is DnsLookupFamily.AUTO


def test_fields():
    found = cluster(
        type="STRICT_DNS",
        dns_lookup_family="V6_ONLY",
        dns_refresh_rate="1.5s",
        max_requests_per_connection=9,
        ring_hash_lb_config={"minimum_ring_size": 5, "maximum_ring_size": 6, "hash_function": "MURMUR_HASH_2"},
        load_assignment=endpoints(endpoint("node.example", 80)),
    )
    assert found.type is ClusterType.STRICT_DNS
    assert found.dns_lookup_family is DnsLookupFamily.V6_ONLY
    assert found.dns_refresh_rate_s == 1.5
    assert found.max_requests_per_connection == 9
    assert found.ring_hash == RingHashConfig(5, 6, HashFunction.MURMUR_HASH_2)
    assert found.hosts == (Host(Address("node.example", 80)),)


def test_hosts_carry_weight_hostname_and_hash_key():
    host = endpoint(
        "10.0.0.1", 80, load_balancing_weight=7, metadata={"filter_metadata": {"envoy.lb": {"hash_key": "k"}}}
    )
    host["endpoint"]["hostname"] = "h"
    assert cluster(load_assignment=endpoints(host)).hosts == (Host(Address("10.0.0.1", 80), 7, "h", "k"),)


def test_other_metadata_is_no_hash_key():
    host = endpoint("10.0.0.1", 80, metadata={"filter_metadata": {"envoy.lb": {"x": "k"}, "other": {"hash_key": "k"}}})
    assert cluster(load_assignment=endpoints(host)).hosts == (Host(Address("10.0.0.1", 80)),)


@pytest.mark.parametrize(
    ("policy", "weights", "is_warned_of"),
    [
        ("LEAST_REQUEST", (1, 2), True),
        ("LEAST_REQUEST", (2, 2), False),
        ("RANDOM", (1, 2), False),  # as in Envoy, which does not look at them
        ("ROUND_ROBIN", (1, 2), False),
        ("RING_HASH", (1, 2), False),
    ],
)
def test_weights_that_do_not_count_are_warned_of(policy, weights, is_warned_of):
    hosts = [endpoint("10.0.0.1", 80 + i, load_balancing_weight=weight) for i, weight in enumerate(weights)]
    _, report = built(lambda d: v3_cluster(d).update(lb_policy=policy, load_assignment=endpoints(*hosts)))
    message = "the weights of these hosts have no effect here: least_request counts requests only"
    said = [(f"{V3_CLUSTER_PATH}.load_assignment.endpoints", message)]
    assert (errors(report), warnings(report)) == ([], said if is_warned_of else [])


def test_localities_are_read_in_order():
    assignment = endpoints(endpoint("10.0.0.1", 1), endpoint("10.0.0.2", 2))
    assignment["endpoints"].append({"lb_endpoints": [endpoint("10.0.0.3", 3)]})
    assert [host.address.port for host in cluster(load_assignment=assignment).hosts] == [1, 2, 3]


def test_thresholds_of_the_default_priority():
    limits = [{"priority": "HIGH", "max_requests": 1}, {"max_requests": 2}]
    assert cluster(circuit_breakers={"thresholds": limits}).thresholds == Thresholds(max_requests=2)


def test_upstream_http_options():
    options = {
        "@type": f"type.googleapis.com/{UPSTREAM_HTTP}",
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {"idle_timeout": "0s", "max_requests_per_connection": 3},
    }
    found = cluster(typed_extension_protocol_options={UPSTREAM_HTTP: options})
    assert (found.idle_timeout_s, found.max_requests_per_connection) == (None, 3)


def test_logical_dns_needs_its_endpoint():
    _, report = built(lambda d: v3_cluster(d).update(type="LOGICAL_DNS", load_assignment=endpoints()))
    [(path, message)] = errors(report)
    assert path == f"{V3_CLUSTER_PATH}.load_assignment.endpoints"
    assert message.startswith("a LOGICAL_DNS cluster has exactly one endpoint")


@pytest.mark.parametrize("assignment", [None, {"cluster_name": "nodes"}, endpoints()])
def test_no_hosts_is_accepted_as_envoy_does_but_said(assignment):
    found, report = built(lambda d: v3_cluster(d).update(load_assignment=assignment))
    assert found[0].hosts == ()
    [(path, message)] = warnings(report)
    assert path == f"{V3_CLUSTER_PATH}.load_assignment.endpoints"
    assert "no hosts" in message


FIRST = f"{V3_CLUSTER_PATH}.load_assignment.endpoints[0].lb_endpoints[0]"


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (
            {"type": "EDS"},
            "type",
            "clusters of type EDS are not supported yet; use one of STATIC, STRICT_DNS, LOGICAL_DNS",
        ),
        (
            {"dns_lookup_family": "ALL"},
            "dns_lookup_family",
            "ALL is not supported yet; use AUTO, V4_ONLY or V6_ONLY",
        ),
        (
            {"type": "LOGICAL_DNS"},
            "load_assignment.endpoints",
            "a LOGICAL_DNS cluster has exactly one endpoint; use STRICT_DNS for several",
        ),
    ],
)
def test_mistakes(fields, path, message):
    _, report = built(lambda d: v3_cluster(d).update(fields))
    assert errors(report) == [(f"{V3_CLUSTER_PATH}.{path}", message)]


@pytest.mark.parametrize(
    ("kind", "host", "path", "message"),
    [
        (
            "STATIC",
            endpoint("localhost", 80),
            f"{FIRST}.endpoint.address.socket_address.address",
            '"localhost" is no IP address; write an IP address, or make the cluster strict_dns or logical_dns',
        ),
        (
            "STRICT_DNS",
            endpoint("a b", 80),
            f"{FIRST}.endpoint.address.socket_address.address",
            '"a b" is neither an IP address nor a DNS name',
        ),
        (
            "STATIC",
            endpoint("10.0.0.1", 0),
            f"{FIRST}.endpoint.address.socket_address.port_value",
            "a host needs a port from 1 to 65535",
        ),
        ("STATIC", {"endpoint": {}}, f"{FIRST}.endpoint", "an endpoint needs an address"),
    ],
)
def test_bad_hosts(kind, host, path, message):
    fields = {"type": kind, "load_assignment": endpoints(host, endpoint("10.0.0.2", 80))}
    found, report = built(lambda d: v3_cluster(d).update(fields))
    assert errors(report) == [(path, message)]
    assert found[0].hosts == (Host(Address("10.0.0.2", 80)),)


def test_weights_that_overflow():
    hosts = [endpoint("10.0.0.1", 80, load_balancing_weight=2**32 - 1), endpoint("10.0.0.2", 80)]
    _, report = built(lambda d: v3_cluster(d).update(load_assignment=endpoints(*hosts)))
    assert errors(report) == [
        (
            f"{V3_CLUSTER_PATH}.load_assignment.endpoints[0].lb_endpoints",
            "the weights of these hosts sum up to over 4294967295",
        )
    ]


def test_two_clusters_of_one_name():
    _, report = built(lambda d: d["static_resources"]["clusters"].append(v3_cluster(d)))
    assert errors(report) == [
        ("static_resources.clusters[1].name", 'there is already a cluster "nodes"; rename one'),
    ]
