"""Clusters in the model: hosts, weights, balancers, limits."""

import pytest

from fastproxy.config.build_clusters import UPSTREAM_HTTP, build_clusters
from fastproxy.model import (
    Address,
    CircuitBreakers,
    ClusterType,
    DnsLookupFamily,
    HashFunction,
    HeaderHashPolicy,
    HealthConfig,
    Host,
    LbPolicy,
    Locality,
    LocalityWeight,
    RingHashConfig,
)
from fastproxy.model_clusters import TcpKeepalive
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
    assert found.circuit_breakers == CircuitBreakers()
    assert found.idle_timeout_s == 3600
    assert found.max_requests_per_connection == 0


def test_what_becomes_of_hosts_that_fail():
    assert not cluster().close_connections_on_host_health_failure
    assert cluster(close_connections_on_host_health_failure=True).close_connections_on_host_health_failure
    assert cluster().update_merge_window_s == 1.0
    assert cluster(common_lb_config={"update_merge_window": "0s"}).update_merge_window_s == 0.0
    assert cluster(common_lb_config={"update_merge_window": "2.5s"}).update_merge_window_s == 2.5


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
    assert cluster(load_assignment=endpoints(host)).hosts == (
        Host(Address("10.0.0.1", 80), 7, "h", "k", labels=(("hash_key", ('"k"',)),)),
    )


def test_other_metadata_is_no_hash_key():
    host = endpoint("10.0.0.1", 80, metadata={"filter_metadata": {"envoy.lb": {"x": "k"}, "other": {"hash_key": "k"}}})
    assert [each.hash_key for each in cluster(load_assignment=endpoints(host)).hosts] == [""]


def test_localities_are_read_in_order():
    assignment = endpoints(endpoint("10.0.0.1", 1), endpoint("10.0.0.2", 2))
    assignment["endpoints"].append({"lb_endpoints": [endpoint("10.0.0.3", 3)]})
    assert [host.address.port for host in cluster(load_assignment=assignment).hosts] == [1, 2, 3]


def test_upstream_http_options():
    options = {
        "@type": f"type.googleapis.com/{UPSTREAM_HTTP}",
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {
            "idle_timeout": "0s",
            "max_requests_per_connection": 3,
            "max_connection_duration": "1.5s",
        },
    }
    found = cluster(typed_extension_protocol_options={UPSTREAM_HTTP: options})
    assert (found.idle_timeout_s, found.max_requests_per_connection) == (None, 3)
    assert found.max_connection_duration_s == 1.5


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, None),
        ({"tcp_keepalive": {}}, TcpKeepalive()),
        (
            {"tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 10, "keepalive_probes": 6}},
            TcpKeepalive(probes=6, time_s=60, interval_s=10),
        ),
    ],
)
def test_keepalive(said, expected):
    assert cluster(upstream_connection_options=said).tcp_keepalive == expected


@pytest.mark.parametrize(("name", "value"), [("keepalive_probes", 128), ("keepalive_time", 0)])
def test_keepalive_that_the_kernel_would_refuse(name, value):
    options = {"tcp_keepalive": {name: value}}
    _, report = built(lambda d: v3_cluster(d).update(upstream_connection_options=options))
    [(path, message)] = errors(report)
    assert path == f"{V3_CLUSTER_PATH}.upstream_connection_options.tcp_keepalive.{name}"
    assert message.startswith("the kernel takes 1 to ")


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


def test_alt_stat_name():
    assert cluster().stat_name == "nodes"
    assert cluster(alt_stat_name="others").stat_name == "others"


def test_health():
    assert cluster().health == HealthConfig()
    found = cluster(
        common_lb_config={"healthy_panic_threshold": {"value": 33.9}},
        load_assignment={
            **endpoints(endpoint("10.0.0.1", 80)),
            "policy": {"overprovisioning_factor": 120, "weighted_priority_health": True},
        },
    )
    assert found.health == HealthConfig(33, 120, False, True)


def test_locality_weights_count_only_where_they_are_asked_for():
    assignment = endpoints(endpoint("10.0.0.1", 80), locality={"zone": "a"}, load_balancing_weight=2)
    assert cluster(load_assignment=assignment).locality_weights is None
    found = cluster(load_assignment=assignment, common_lb_config={"locality_weighted_lb_config": {}})
    assert found.locality_weights == (LocalityWeight(0, Locality(zone="a"), 2),)


@pytest.mark.parametrize("kind", ["STATIC", "LOGICAL_DNS"])
@pytest.mark.parametrize("policy", ["RING_HASH", "ROUND_ROBIN"])
def test_names_are_hashed_where_envoy_does_it(kind, policy):
    hashing = {"consistent_hashing_lb_config": {"use_hostname_for_hashing": True}}
    fields = {"type": kind, "lb_policy": policy, "common_lb_config": hashing}
    _, report = built(lambda d: v3_cluster(d).update(fields, load_assignment=endpoints(endpoint("10.0.0.1", 80))))
    path = f"{V3_CLUSTER_PATH}.common_lb_config.consistent_hashing_lb_config.use_hostname_for_hashing"
    message = f"the hosts of a {kind} cluster cannot be hashed by their names; make it STRICT_DNS"
    assert errors(report) == [(path, message)]


def test_names_of_a_strict_dns_cluster_are_hashed():
    hashing = {"consistent_hashing_lb_config": {"use_hostname_for_hashing": True}}
    assert cluster(type="STRICT_DNS", common_lb_config=hashing).hashing.use_hostname_for_hashing


def test_hash_policies_of_the_balancer():
    policy = {
        "@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev",
        "consistent_hashing_lb_config": {"hash_policy": [{"header": {"header_name": "X-A"}}]},
    }
    policies = {"policies": [{"typed_extension_config": {"name": "x", "typed_config": policy}}]}
    assert cluster(lb_policy=None, load_balancing_policy=policies).hash_policies == (HeaderHashPolicy("x-a"),)
