"""Balancers of a cluster, in the old form and as extensions."""

import pytest

from fastproxy.config import coverage
from fastproxy.config.build_balancers import build_balancer
from fastproxy.model import HashFunction, LbPolicy, RingHashConfig
from tests.unit.config_files import V3_CLUSTER_PATH, errors, v3_cluster, v3_file, view, warnings

POLICIES = "type.googleapis.com/envoy.extensions.load_balancing_policies."


def built(**fields):
    document = v3_file()
    v3_cluster(document).update(fields)
    bootstrap, report = view(document)
    assert errors(report) == []
    coverage.check(bootstrap, report)
    return build_balancer(bootstrap.child("static_resources").items("clusters")[0], report), report


def typed(kind, **config):
    return {
        "policies": [{"typed_extension_config": {"name": "x", "typed_config": {"@type": POLICIES + kind, **config}}}]
    }


@pytest.mark.parametrize("name", [policy.name for policy in LbPolicy])
def test_lb_policy(name):
    (policy, ring), report = built(lb_policy=name)
    assert (policy.name, ring) == (name, RingHashConfig())
    assert errors(report) == warnings(report) == []


def test_a_ring():
    config = {"minimum_ring_size": 5, "maximum_ring_size": 6, "hash_function": "MURMUR_HASH_2"}
    assert built(ring_hash_lb_config=config)[0] == (
        LbPolicy.RING_HASH,
        RingHashConfig(5, 6, HashFunction.MURMUR_HASH_2),
    )


@pytest.mark.parametrize(
    ("kind", "policy"),
    [
        ("ring_hash.v3.RingHash", LbPolicy.RING_HASH),
        ("round_robin.v3.RoundRobin", LbPolicy.ROUND_ROBIN),
        ("random.v3.Random", LbPolicy.RANDOM),
        ("least_request.v3.LeastRequest", LbPolicy.LEAST_REQUEST),
    ],
)
def test_extensions(kind, policy):
    found, report = built(lb_policy=None, load_balancing_policy=typed(kind))
    assert found == (policy, RingHashConfig())
    assert errors(report) == warnings(report) == []


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("DEFAULT_HASH", HashFunction.XX_HASH),
        ("XX_HASH", HashFunction.XX_HASH),
        ("MURMUR_HASH_2", HashFunction.MURMUR_HASH_2),
    ],
)
def test_the_ring_of_an_extension(name, function):
    config = typed("ring_hash.v3.RingHash", minimum_ring_size=5, maximum_ring_size=6, hash_function=name)
    assert built(lb_policy=None, load_balancing_policy=config)[0] == (
        LbPolicy.RING_HASH,
        RingHashConfig(5, 6, function),
    )


def test_an_extension_counts_and_the_old_form_does_not():
    found, report = built(lb_policy="RANDOM", load_balancing_policy=typed("round_robin.v3.RoundRobin"))
    assert found[0] is LbPolicy.ROUND_ROBIN
    assert warnings(report) == [(f"{V3_CLUSTER_PATH}.lb_policy", "has no effect here: load_balancing_policy counts")]


def test_a_ring_for_another_balancer_is_warned_of():
    found, report = built(lb_policy="RANDOM", ring_hash_lb_config={"minimum_ring_size": 3})
    assert found == (LbPolicy.RANDOM, RingHashConfig())
    assert warnings(report) == [
        (
            f"{V3_CLUSTER_PATH}.ring_hash_lb_config",
            "has no effect here: the balancer of this cluster is not ring_hash",
        )
    ]


def test_bounded_load_without_a_ring_is_warned_of():
    hashing = {"consistent_hashing_lb_config": {"hash_balance_factor": 150}}
    _, report = built(lb_policy="RANDOM", common_lb_config=hashing)
    assert errors(report) == []
    assert [message for _, message in warnings(report)] == ["has no effect here: this balancer does not hash"]


TYPED = "load_balancing_policy.policies[0].typed_extension_config"


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        (
            {"lb_policy": "MAGLEV"},
            "lb_policy",
            "the balancer MAGLEV is not supported yet; use one of ROUND_ROBIN, RANDOM, LEAST_REQUEST, RING_HASH",
        ),
        (
            {"ring_hash_lb_config": {"maximum_ring_size": 512}},
            "ring_hash_lb_config",
            "minimum_ring_size (1024) is larger than maximum_ring_size (512); raise the maximum or lower the minimum",
        ),
        (
            {"common_lb_config": {"consistent_hashing_lb_config": {"hash_balance_factor": 150}}},
            "common_lb_config.consistent_hashing_lb_config.hash_balance_factor",
            "bounded loads are not supported yet; remove it",
        ),
        ({"lb_policy": None, "load_balancing_policy": {}}, "load_balancing_policy", "name a policy here"),
        (
            {"lb_policy": None, "load_balancing_policy": typed("maglev.v3.Maglev")},
            TYPED,
            'the balancer "x" is not supported yet; use one of ',
        ),
        (
            {
                "lb_policy": None,
                "load_balancing_policy": typed(
                    "ring_hash.v3.RingHash", consistent_hashing_lb_config={"hash_balance_factor": 150}
                ),
            },
            f"{TYPED}.typed_config.consistent_hashing_lb_config.hash_balance_factor",
            "bounded loads are not supported yet; remove it",
        ),
        (
            {
                "lb_policy": None,
                "load_balancing_policy": typed(
                    "ring_hash.v3.RingHash",
                    consistent_hashing_lb_config={"hash_policy": [{"header": {"header_name": "a"}}]},
                ),
            },
            f"{TYPED}.typed_config.consistent_hashing_lb_config.hash_policy",
            coverage.REFUSED,
        ),
    ],
)
def test_mistakes(fields, path, words):
    _, report = built(**fields)
    [(where, message)] = errors(report)
    assert where == f"{V3_CLUSTER_PATH}.{path}"
    assert message.startswith(words)
