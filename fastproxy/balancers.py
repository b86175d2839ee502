"""Makes the balancer of a cluster from the hosts that it has now."""

from collections.abc import Sequence

from fastproxy.active_requests import ActiveRequests
from fastproxy.balancing import Balancer, LeastRequest, Random, RoundRobin
from fastproxy.bounded_load import BoundedLoad
from fastproxy.hash_balancing import Maglev, RingHash
from fastproxy.host_sets import (
    HostSet,
    Places,
    Share,
    by_locality,
    effective_weights,
    host_sets,
    load,
    locality_weights,
    normalized_shares,
)
from fastproxy.model import Cluster, Health, Host, LbPolicy
from fastproxy.priorities import Localities, Priorities


def balancer_for(cluster: Cluster, hosts: Sequence[Host], active: ActiveRequests | None = None) -> Balancer:
    """The balancer of `cluster` for `hosts`, whose requests under way `active` knows; None: nothing is under way."""
    return _Builder(cluster, hosts, active or ActiveRequests([], 0, [0] * len(hosts))).build()


def hash_key(cluster: Cluster, host: Host) -> bytes:
    """What stands for a host on a ring or in a table."""
    name = host.hostname if cluster.hashing.use_hostname_for_hashing else str(host.address)
    return (host.hash_key or name).encode()


class _Builder:
    def __init__(self, cluster: Cluster, hosts: Sequence[Host], active: ActiveRequests) -> None:
        self._cluster = cluster
        self._hosts = hosts
        self._active = active
        self._sets = host_sets(hosts)

    def build(self) -> Balancer:
        """One balancer for all, or one for each group of hosts that gets requests, or would when others fail."""
        loads = load(self._sets, self._hosts, self._cluster.health)
        shares = loads.shares()
        if len(self._sets) == 1 and len(shares) == 1 and not shares[0].in_panic:
            return self._balancer(shares[0])
        groups: list[Share] = []
        for health in (Health.HEALTHY,) if self._cluster.lb_policy.hashes else (Health.HEALTHY, Health.DEGRADED):
            groups += [Share(priority, health, 0, panic) for priority, panic in enumerate(loads.in_panic)]
        keys = [(group.priority, group.health) for group in groups]
        parts = [(share, keys.index(self._group(share))) for share in shares]
        children = [self._balancer(group) for group in groups]
        if self._cluster.lb_policy.hashes:
            return Priorities(children, parts, hashes=True)
        return Priorities(children, parts, hashes=False, available=loads.available, in_panic=loads.in_panic)

    def _group(self, share: Share) -> tuple[int, Health]:
        """A ring knows healthy hosts only, even for the share that the degraded ones of its priority get."""
        return share.priority, Health.HEALTHY if self._cluster.lb_policy.hashes else share.health

    def _balancer(self, share: Share) -> Balancer:
        each = self._sets[share.priority]
        if self._cluster.lb_policy.hashes:
            return self._hashing(share.priority, each, each.of(Health.HEALTHY, share.in_panic))
        if share.in_panic:
            return self._simple(() if self._cluster.health.fail_traffic_on_panic else each.hosts)
        return self._by_locality(share.priority, each, each.of(share.health, False))

    def _hashing(self, priority: int, each: HostSet, places: Places) -> Balancer:
        cluster, hosts = self._cluster, self._hosts
        shares = normalized_shares(places, each.hosts, hosts, locality_weights(cluster, priority))
        members = [place for place, _ in shares]
        parts = [part for _, part in shares]
        keys = [hash_key(cluster, hosts[place]) for place in members]
        factor = cluster.hashing.hash_balance_factor
        bound = BoundedLoad(members, parts, self._active, factor) if factor else None
        if cluster.lb_policy is LbPolicy.MAGLEV:
            return Maglev(members, keys, parts, cluster.maglev_table_size, bound)
        return RingHash(members, keys, parts, cluster.ring_hash, bound)

    def _by_locality(self, priority: int, each: HostSet, places: Places) -> Balancer:
        weights = locality_weights(self._cluster, priority)
        if weights is None:
            return self._simple(places)
        factor = self._cluster.health.overprovisioning_factor
        effective = effective_weights(places, each.counted, self._hosts, weights, factor)
        if not effective:
            return self._simple(places)
        localities = by_locality(places, self._hosts)
        children = [self._simple(localities[locality]) for locality in effective]
        return Localities(children, list(effective), list(effective.values()))

    def _simple(self, places: Places) -> Balancer:
        weights = [self._hosts[place].weight for place in places]
        if self._cluster.lb_policy is LbPolicy.RANDOM:
            return Random(places)
        if self._cluster.lb_policy is LbPolicy.LEAST_REQUEST:
            return LeastRequest(places, weights, self._active, self._cluster.least_request)
        return RoundRobin(places, weights)
