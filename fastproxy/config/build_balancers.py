"""How a cluster chooses among its hosts: `lb_policy` and its settings, or the form of an extension."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import HashFunction, HashingConfig, LbPolicy, LeastRequestConfig, RingHashConfig

_POLICIES = "envoy.extensions.load_balancing_policies."
_TYPED = {
    f"{_POLICIES}ring_hash.v3.RingHash": LbPolicy.RING_HASH,
    f"{_POLICIES}maglev.v3.Maglev": LbPolicy.MAGLEV,
    f"{_POLICIES}round_robin.v3.RoundRobin": LbPolicy.ROUND_ROBIN,
    f"{_POLICIES}random.v3.Random": LbPolicy.RANDOM,
    f"{_POLICIES}least_request.v3.LeastRequest": LbPolicy.LEAST_REQUEST,
}
_SETTINGS = {
    "ring_hash_lb_config": LbPolicy.RING_HASH,
    "maglev_lb_config": LbPolicy.MAGLEV,
    "least_request_lb_config": LbPolicy.LEAST_REQUEST,
    "round_robin_lb_config": LbPolicy.ROUND_ROBIN,
    "original_dst_lb_config": None,
}
_INSTEAD = {
    "CLUSTER_PROVIDED": "no cluster of fastproxy provides a balancer; use one of ",
    "LOAD_BALANCING_POLICY_CONFIG": "load_balancing_policy has to be there too, or use one of ",
}
_UNWANTED_IN_COMMON = ("zone_aware_lb_config", "locality_weighted_lb_config", "consistent_hashing_lb_config")
_MAX_TABLE_SIZE = 5000011


@dataclass(frozen=True, slots=True)
class Balancing:
    """What the file says about the choice of a host. `hash_policies` is where the balancer has some of its own."""

    lb_policy: LbPolicy = LbPolicy.ROUND_ROBIN
    ring_hash: RingHashConfig = RingHashConfig()
    maglev_table_size: int = 65537
    least_request: LeastRequestConfig = LeastRequestConfig()
    hashing: HashingConfig = HashingConfig()
    weighs_localities: bool = False
    fail_traffic_on_panic: bool = False
    hash_policies: View | None = None


def build_balancer(cluster: View, report: Report) -> Balancing:
    """The balancer of a cluster; settings of other balancers than its own keep their defaults."""
    if cluster.has("lb_subset_config"):
        said = "subsets of hosts are not supported; make a cluster of each subset, and routes that choose among them"
        report.error(cluster.node_of("lb_subset_config"), said, at_key=True)
    if cluster.has("load_balancing_policy"):
        return _extension(cluster, report)
    policy = _lb_policy(cluster, report)
    for field, owner in _SETTINGS.items():
        if cluster.has(field) and owner is not policy:
            said = f"has no effect here: the balancer of this cluster is {policy.name}"
            report.warning(cluster.node_of(field), said, at_key=True)
    common = cluster.child("common_lb_config")
    settings = cluster.child(next((field for field, owner in _SETTINGS.items() if owner is policy), "common_lb_config"))
    return Balancing(
        policy,
        **_settings(policy, settings, report),
        hashing=_hashing(common.child("consistent_hashing_lb_config"), policy, report),
        weighs_localities=common.has("locality_weighted_lb_config"),
        fail_traffic_on_panic=common.child("zone_aware_lb_config").value("fail_traffic_on_panic"),
    )


def _lb_policy(cluster: View, report: Report) -> LbPolicy:
    name = cluster.enum_name("lb_policy")
    if name in LbPolicy.__members__:
        return LbPolicy[name]
    reason = _INSTEAD.get(name, f"the balancer {name} is not supported; use one of ")
    report.error(cluster.node_of("lb_policy"), reason + ", ".join(LbPolicy.__members__))
    return LbPolicy.ROUND_ROBIN


def _extension(cluster: View, report: Report) -> Balancing:
    """Envoy takes the first policy of the list that it knows, and then nothing of `lb_policy`."""
    for field in ("lb_policy", *_SETTINGS):
        named = cluster.enum_name("lb_policy") == "LOAD_BALANCING_POLICY_CONFIG"
        if cluster.has(field) and not (field == "lb_policy" and named):
            report.warning(cluster.node_of(field), "has no effect here: load_balancing_policy counts", at_key=True)
    common = cluster.child("common_lb_config")
    for field in _UNWANTED_IN_COMMON:
        if common.has(field):
            said = "cannot stand beside load_balancing_policy; write it inside the policy"
            report.error(common.node_of(field), said, at_key=True)
    policies = cluster.child("load_balancing_policy").items("policies")
    if not policies:
        report.error(cluster.node_of("load_balancing_policy"), "name a policy here")
        return Balancing()
    extension = policies[0].child("typed_extension_config")
    config = extension.child("typed_config")
    policy = _TYPED.get(config.type_name)
    if policy is not None:
        return _typed(policy, config, report)
    if not extension.node.damaged:
        name = shorten(config.type_name.removeprefix(_POLICIES) or extension.value("name"))
        report.error(extension.node, f'the balancer "{name}" is not supported; use one of {", ".join(_TYPED)}')
    return Balancing()


def _typed(policy: LbPolicy, config: View, report: Report) -> Balancing:
    make = partial(Balancing, policy, **_settings(policy, config, report))
    if not policy.hashes:
        localities = config.child("locality_lb_config")
        return make(
            weighs_localities=localities.has("locality_weighted_lb_config"),
            fail_traffic_on_panic=localities.child("zone_aware_lb_config").value("fail_traffic_on_panic"),
        )
    hashing = config.child("consistent_hashing_lb_config")
    outdated = policy is LbPolicy.RING_HASH and not config.has("consistent_hashing_lb_config")
    return make(
        hashing=_hashing(config if outdated else hashing, policy, report),
        weighs_localities=config.has("locality_weighted_lb_config"),
        hash_policies=hashing if hashing.has("hash_policy") else None,
    )


def _settings(policy: LbPolicy, config: View, report: Report) -> dict[str, Any]:
    """The settings of one balancer, which have the same names in both forms."""
    if policy is LbPolicy.RING_HASH:
        return {"ring_hash": _ring_hash(config, report)}
    if policy is LbPolicy.MAGLEV:
        return {"maglev_table_size": _table_size(config, report)}
    if policy is LbPolicy.LEAST_REQUEST:
        return {"least_request": _least_request(config, report)}
    return {}


def _ring_hash(config: View, report: Report) -> RingHashConfig:
    default = RingHashConfig()
    murmur = config.enum_name("hash_function") == "MURMUR_HASH_2"
    ring = RingHashConfig(
        config.wrapped("minimum_ring_size", default.minimum_ring_size),
        config.wrapped("maximum_ring_size", default.maximum_ring_size),
        HashFunction.MURMUR_HASH_2 if murmur else HashFunction.XX_HASH,
    )
    if ring.minimum_ring_size > ring.maximum_ring_size:
        sizes = f"minimum_ring_size ({ring.minimum_ring_size}) is larger than maximum_ring_size"
        report.error(config.node, f"{sizes} ({ring.maximum_ring_size}); raise the maximum or lower the minimum")
    elif ring.minimum_ring_size == 0:
        said = "a ring without entries: every request to this cluster gets 503; set it to at least 1"
        report.warning(config.node_of("minimum_ring_size"), said)
    return ring


def _table_size(config: View, report: Report) -> int:
    size: int = config.wrapped("table_size", Balancing().maglev_table_size)
    if size <= _MAX_TABLE_SIZE and not _is_prime(size):  # a larger one breaks the schema's own rule
        report.error(config.node_of("table_size"), f"the size of a table has to be a prime number, unlike {size}")
    return size


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def _least_request(config: View, report: Report) -> LeastRequestConfig:
    bias = config.child("active_request_bias")
    power = float(bias.value("default_value")) if config.has("active_request_bias") else 1.0
    if power < 0:
        report.warning(bias.node_of("default_value"), "below 0, so 1 is taken, as Envoy does")
        power = 1.0
    selects = "selection_method" in config.message.DESCRIPTOR.fields_by_name
    full_scan = selects and (
        config.enum_name("selection_method") == "FULL_SCAN" or config.wrapped("enable_full_scan", False)
    )
    return LeastRequestConfig(config.wrapped("choice_count", 2), power, full_scan)


def _hashing(config: View, policy: LbPolicy, report: Report) -> HashingConfig:
    if not policy.hashes:
        for field in ("hash_balance_factor", "use_hostname_for_hashing"):
            if config.has(field):
                report.warning(config.node_of(field), "has no effect here: this balancer does not hash")
        return HashingConfig()
    return HashingConfig(config.wrapped("hash_balance_factor", 0), config.value("use_hostname_for_hashing"))
