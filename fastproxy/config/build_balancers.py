"""How a cluster chooses among its hosts: `lb_policy` and its settings, or the form of an extension."""

from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import HashFunction, LbPolicy, RingHashConfig

_POLICIES = "envoy.extensions.load_balancing_policies."
_TYPED = {
    f"{_POLICIES}ring_hash.v3.RingHash": LbPolicy.RING_HASH,
    f"{_POLICIES}round_robin.v3.RoundRobin": LbPolicy.ROUND_ROBIN,
    f"{_POLICIES}random.v3.Random": LbPolicy.RANDOM,
    f"{_POLICIES}least_request.v3.LeastRequest": LbPolicy.LEAST_REQUEST,
}


def build_balancer(cluster: View, report: Report) -> tuple[LbPolicy, RingHashConfig]:
    """The balancer of a cluster and its ring; the ring means something to RING_HASH only."""
    if cluster.has("load_balancing_policy"):
        return _typed_balancer(cluster, report)
    policy = _lb_policy(cluster, report)
    _check_bounded_load(cluster.child("common_lb_config").child("consistent_hashing_lb_config"), policy, report)
    if not cluster.has("ring_hash_lb_config"):
        return policy, RingHashConfig()
    config = cluster.child("ring_hash_lb_config")
    if policy is not LbPolicy.RING_HASH:
        report.warning(config.node, "has no effect here: the balancer of this cluster is not ring_hash", at_key=True)
        return policy, RingHashConfig()
    return policy, _ring_hash(config, report)


def _typed_balancer(cluster: View, report: Report) -> tuple[LbPolicy, RingHashConfig]:
    """Envoy takes the first policy of the list that it knows, and then nothing of `lb_policy`."""
    for field in ("lb_policy", "ring_hash_lb_config"):
        if cluster.has(field):
            report.warning(cluster.node_of(field), "has no effect here: load_balancing_policy counts", at_key=True)
    policies = cluster.child("load_balancing_policy").items("policies")
    if not policies:
        report.error(cluster.node_of("load_balancing_policy"), "name a policy here")
        return LbPolicy.ROUND_ROBIN, RingHashConfig()
    extension = policies[0].child("typed_extension_config")
    config = extension.child("typed_config")
    policy = _TYPED.get(config.type_name)
    if policy is None:
        if not extension.node.damaged:
            name = shorten(extension.value("name"))
            report.error(extension.node, f'the balancer "{name}" is not supported yet; use one of {", ".join(_TYPED)}')
        return LbPolicy.ROUND_ROBIN, RingHashConfig()
    if policy is not LbPolicy.RING_HASH:
        return policy, RingHashConfig()
    _check_bounded_load(config, policy, report)
    _check_bounded_load(config.child("consistent_hashing_lb_config"), policy, report)
    return policy, _ring_hash(config, report)


def _lb_policy(cluster: View, report: Report) -> LbPolicy:
    name = cluster.enum_name("lb_policy")
    if name in LbPolicy.__members__:
        return LbPolicy[name]
    supported = ", ".join(LbPolicy.__members__)
    report.error(cluster.node_of("lb_policy"), f"the balancer {name} is not supported yet; use one of {supported}")
    return LbPolicy.ROUND_ROBIN


def _ring_hash(config: View, report: Report) -> RingHashConfig:
    name = config.enum_name("hash_function")
    ring = RingHashConfig(
        config.wrapped("minimum_ring_size", RingHashConfig().minimum_ring_size),
        config.wrapped("maximum_ring_size", RingHashConfig().maximum_ring_size),
        HashFunction.MURMUR_HASH_2 if name == "MURMUR_HASH_2" else HashFunction.XX_HASH,
    )
    if ring.minimum_ring_size > ring.maximum_ring_size:
        sizes = f"minimum_ring_size ({ring.minimum_ring_size}) is larger than maximum_ring_size"
        report.error(config.node, f"{sizes} ({ring.maximum_ring_size}); raise the maximum or lower the minimum")
    return ring


def _check_bounded_load(hashing: View, policy: LbPolicy, report: Report) -> None:
    if not hashing.has("hash_balance_factor"):
        return
    node = hashing.node_of("hash_balance_factor")
    if policy is LbPolicy.RING_HASH:
        report.error(node, "bounded loads are not supported yet; remove it")
    else:
        report.warning(node, "has no effect here: this balancer does not hash")
