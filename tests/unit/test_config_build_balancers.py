"""Balancers of a cluster, in the old form and as extensions."""

import pytest

from fastproxy.config import coverage
from fastproxy.config.build_balancers import Balancing, build_balancer
from fastproxy.model import HashFunction, HashingConfig, LbPolicy, LeastRequestConfig, RingHashConfig
from tests.unit.config_files import V3_CLUSTER_PATH, errors, v3_cluster, v3_file, view, warnings

POLICIES = "type.googleapis.com/envoy.extensions.load_balancing_policies."
KINDS = {
    "ring_hash.v3.RingHash": LbPolicy.RING_HASH,
    "maglev.v3.Maglev": LbPolicy.MAGLEV,
    "round_robin.v3.RoundRobin": LbPolicy.ROUND_ROBIN,
    "random.v3.Random": LbPolicy.RANDOM,
    "least_request.v3.LeastRequest": LbPolicy.LEAST_REQUEST,
}


def built(**fields):
    document = v3_file()
    v3_cluster(document).update(fields)
    bootstrap, report = view(document)
    assert errors(report) == []
    coverage.check(bootstrap, report)
    return build_balancer(bootstrap.child("static_resources").items("clusters")[0], report), report


def extension(kind, **config):
    policy = {"typed_extension_config": {"name": "x", "typed_config": {"@type": POLICIES + kind, **config}}}
    return {"lb_policy": None, "load_balancing_policy": {"policies": [policy]}}


def silent(**fields):
    found, report = built(**fields)
    assert errors(report) == warnings(report) == []
    return found


@pytest.mark.parametrize("name", [policy.name for policy in LbPolicy])
def test_lb_policy(name):
    assert silent(lb_policy=name) == Balancing(LbPolicy[name])


@pytest.mark.parametrize(("kind", "policy"), KINDS.items())
def test_extensions(kind, policy):
    assert silent(**extension(kind)) == Balancing(policy)
    named = extension(kind) | {"lb_policy": "LOAD_BALANCING_POLICY_CONFIG"}
    assert silent(**named) == Balancing(policy)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("DEFAULT_HASH", HashFunction.XX_HASH),
        ("XX_HASH", HashFunction.XX_HASH),
        ("MURMUR_HASH_2", HashFunction.MURMUR_HASH_2),
    ],
)
def test_the_ring_of_an_extension(name, function):
    config = {"minimum_ring_size": 5, "maximum_ring_size": 6, "hash_function": name}
    assert silent(**extension("ring_hash.v3.RingHash", **config)).ring_hash == RingHashConfig(5, 6, function)


def test_a_ring():
    config = {"minimum_ring_size": 5, "maximum_ring_size": 6, "hash_function": "MURMUR_HASH_2"}
    assert silent(ring_hash_lb_config=config).ring_hash == RingHashConfig(5, 6, HashFunction.MURMUR_HASH_2)


def test_a_table():
    assert silent(lb_policy="MAGLEV", maglev_lb_config={"table_size": 5000011}).maglev_table_size == 5000011
    assert silent(**extension("maglev.v3.Maglev", table_size=2)).maglev_table_size == 2


def test_least_request():
    config: dict[str, object] = {"choice_count": 3, "active_request_bias": {"default_value": 0.5, "runtime_key": "x"}}
    found = silent(lb_policy="LEAST_REQUEST", least_request_lb_config=config)
    assert found.least_request == LeastRequestConfig(3, 0.5)
    found = silent(**extension("least_request.v3.LeastRequest", **config, selection_method="FULL_SCAN"))
    assert found.least_request == LeastRequestConfig(3, 0.5, True)
    found = silent(**extension("least_request.v3.LeastRequest", enable_full_scan=True))
    assert found.least_request == LeastRequestConfig(full_scan=True)


@pytest.mark.parametrize("policy", ["RING_HASH", "MAGLEV"])
def test_hashing(policy):
    hashing = {"hash_balance_factor": 150, "use_hostname_for_hashing": True}
    wanted = HashingConfig(150, True)
    assert silent(lb_policy=policy, common_lb_config={"consistent_hashing_lb_config": hashing}).hashing == wanted
    [kind] = [kind for kind, each in KINDS.items() if each.name == policy]
    assert silent(**extension(kind, consistent_hashing_lb_config=hashing)).hashing == wanted


def test_hashing_in_the_outdated_fields_of_an_extension():
    hashing = {"hash_balance_factor": 150, "use_hostname_for_hashing": True}
    assert silent(**extension("ring_hash.v3.RingHash", **hashing)).hashing == HashingConfig(150, True)


def test_hash_policies_of_a_balancer():
    hashing = {"hash_policy": [{"header": {"header_name": "a"}}]}
    found = silent(**extension("maglev.v3.Maglev", consistent_hashing_lb_config=hashing))
    assert found.hash_policies.items("hash_policy")[0].child("header").value("header_name") == "a"


def test_localities():
    assert silent(common_lb_config={"locality_weighted_lb_config": {}}).weighs_localities
    assert silent(**extension("maglev.v3.Maglev", locality_weighted_lb_config={})).weighs_localities
    config: dict[str, object] = {"locality_weighted_lb_config": {}}
    assert silent(**extension("random.v3.Random", locality_lb_config=config)).weighs_localities


def test_traffic_that_fails_on_panic():
    zones = {"zone_aware_lb_config": {"fail_traffic_on_panic": True}}
    assert silent(lb_policy="RANDOM", common_lb_config=zones).fail_traffic_on_panic
    assert silent(**extension("random.v3.Random", locality_lb_config=zones)).fail_traffic_on_panic


def test_an_extension_counts_and_the_old_form_does_not():
    fields = extension("round_robin.v3.RoundRobin") | {"lb_policy": "RANDOM", "ring_hash_lb_config": {}}
    found, report = built(**fields)
    assert found.lb_policy is LbPolicy.ROUND_ROBIN
    assert warnings(report) == [
        (f"{V3_CLUSTER_PATH}.{field}", "has no effect here: load_balancing_policy counts")
        for field in ("lb_policy", "ring_hash_lb_config")
    ]


WRONG_BALANCER = "has no effect here: the balancer of this cluster is RANDOM"
HASHLESS = "has no effect here: this balancer does not hash"
NEW_HOSTS = "has no effect here: a new host gets its whole share at once"


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"lb_policy": "RANDOM", "ring_hash_lb_config": {"minimum_ring_size": 3}}, "ring_hash_lb_config", None),
        ({"lb_policy": "RANDOM", "maglev_lb_config": {}}, "maglev_lb_config", None),
        ({"lb_policy": "RANDOM", "least_request_lb_config": {}}, "least_request_lb_config", None),
        ({"lb_policy": "RANDOM", "original_dst_lb_config": {}}, "original_dst_lb_config", None),
        (
            {
                "lb_policy": "RANDOM",
                "common_lb_config": {"consistent_hashing_lb_config": {"hash_balance_factor": 150}},
            },
            "common_lb_config.consistent_hashing_lb_config.hash_balance_factor",
            HASHLESS,
        ),
        (
            {"lb_policy": "ROUND_ROBIN", "round_robin_lb_config": {"slow_start_config": {"slow_start_window": "9s"}}},
            "round_robin_lb_config.slow_start_config",
            NEW_HOSTS,
        ),
        (
            {"common_lb_config": {"zone_aware_lb_config": {"min_cluster_size": 6}}},
            "common_lb_config.zone_aware_lb_config.min_cluster_size",
            "has no effect here: requests are not kept inside a zone, as in an Envoy that has no local cluster",
        ),
        (
            {
                "lb_policy": "LEAST_REQUEST",
                "least_request_lb_config": {"active_request_bias": {"default_value": -1, "runtime_key": "x"}},
            },
            "least_request_lb_config.active_request_bias.default_value",
            "below 0, so 1 is taken, as Envoy does",
        ),
        (
            {"ring_hash_lb_config": {"minimum_ring_size": 0}},
            "ring_hash_lb_config.minimum_ring_size",
            "a ring without entries: every request to this cluster gets 503; set it to at least 1",
        ),
    ],
)
def test_what_has_no_effect_is_warned_of(fields, path, message):
    _, report = built(**fields)
    assert errors(report) == []
    assert (f"{V3_CLUSTER_PATH}.{path}", message or WRONG_BALANCER) in warnings(report)


TYPED = "load_balancing_policy.policies[0].typed_extension_config"
NAMES = ", ".join(policy.name for policy in LbPolicy)
SIZES = "minimum_ring_size (1024) is larger than maximum_ring_size (512); raise the maximum or lower the minimum"


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        (
            {"lb_policy": "CLUSTER_PROVIDED"},
            "lb_policy",
            f"no cluster of fastproxy provides a balancer; use one of {NAMES}",
        ),
        (
            {"lb_policy": "LOAD_BALANCING_POLICY_CONFIG"},
            "lb_policy",
            f"load_balancing_policy has to be there too, or use one of {NAMES}",
        ),
        ({"ring_hash_lb_config": {"maximum_ring_size": 512}}, "ring_hash_lb_config", SIZES),
        (extension("ring_hash.v3.RingHash", maximum_ring_size=512), f"{TYPED}.typed_config", SIZES),
        (
            {"lb_policy": "MAGLEV", "maglev_lb_config": {"table_size": 65536}},
            "maglev_lb_config.table_size",
            "the size of a table has to be a prime number, unlike 65536",
        ),
        (
            extension("maglev.v3.Maglev", table_size=1),
            f"{TYPED}.typed_config.table_size",
            "the size of a table has to be a prime number, unlike 1",
        ),
        ({"lb_policy": None, "load_balancing_policy": {}}, "load_balancing_policy", "name a policy here"),
        (
            extension("cluster_provided.v3.ClusterProvided"),
            TYPED,
            'the balancer "cluster_provided.v3.ClusterProvided" is not supported; use one of envoy.extensions.load_',
        ),
        (
            extension("random.v3.Random") | {"common_lb_config": {"locality_weighted_lb_config": {}}},
            "common_lb_config.locality_weighted_lb_config",
            "cannot stand beside load_balancing_policy; write it inside the policy",
        ),
        (
            {"lb_subset_config": {"fallback_policy": "ANY_ENDPOINT"}},
            "lb_subset_config",
            "subsets of hosts are not supported; make a cluster of each subset",
        ),
    ],
)
def test_mistakes(fields, path, words):
    _, report = built(**fields)
    [(where, message)] = errors(report)
    assert where == f"{V3_CLUSTER_PATH}.{path}"
    assert message.startswith(words)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("subset.v3.Subset", {"subset_lb_policy": {}}),
        ("wrr_locality.v3.WrrLocality", {"endpoint_picking_policy": {}}),
        ("pick_first.v3.PickFirst", {}),
    ],
)
def test_other_balancers_of_envoy_are_refused(kind, config):
    _, report = built(**extension(kind, **config))
    [(where, message)] = errors(report)
    assert where == f"{V3_CLUSTER_PATH}.{TYPED}"
    assert message.startswith(f'the balancer "{kind}" is not supported; use one of ')
