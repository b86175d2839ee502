"""What one configuration changes of another: listeners, routes, clusters, and the share of keys that move.

Works on the model alone. How many keys move is measured on the very balancers that traffic takes, with keys that spread
evenly; a host that is a DNS name counts as one host, for its addresses are not asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from fastproxy._ring import xx_hash
from fastproxy.balancers import balancer_for
from fastproxy.model import Cluster, Configuration, Listener

KEYS = 20_000
"""Keys that are looked up on both rings: enough to tell a share to half a percent."""
_ABOUT_LISTENERS = frozenset({"name", "manager", "filter_chains", "default_filter_chain"})
_ABOUT_CLUSTERS = frozenset({"name", "hosts"})


@dataclass(frozen=True, slots=True)
class Change:
    """`kind` is "added", "removed" or "changed"; `what` names the thing, `details` say what is different about it."""

    kind: str
    what: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Movement:
    """Of the keys that are hashed to a cluster, the share that goes to another host than before (0 to 1).

    `per_host` is each host's share of the keys, before and after.
    """

    cluster: str
    moved: float
    per_host: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    listeners: tuple[Change, ...]
    routes: tuple[Change, ...]
    clusters: tuple[Change, ...]
    movements: tuple[Movement, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.listeners or self.routes or self.clusters)


def compare(old: Configuration, new: Configuration) -> Changes:
    """What a reload from `old` to `new` would change."""
    before = {listener.name: listener for listener in old.listeners}
    after = {listener.name: listener for listener in new.listeners}
    routes = [
        change
        for name in before
        if name in after
        for change in _compare_routes(name, _virtual_hosts(before[name]), _virtual_hosts(after[name]))
    ]
    return Changes(
        tuple(_compare_named("listener", before, after, _ABOUT_LISTENERS)),
        tuple(routes),
        tuple(_compare_clusters(old, new)),
        tuple(_movements(old, new)),
    )


def describe(value: Any) -> str:
    """A part of the model in one line: what is not at its default, in the words of the model."""
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value) and "__str__" in vars(type(value)):
        return str(value)
    if is_dataclass(value):
        return "{" + ", ".join(f"{name}: {describe(member)}" for name, member in _not_default(value)) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(describe, value)) + "]"
    return repr(value) if isinstance(value, str | bytes) else str(value)


def _not_default(value: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(value):
        member = getattr(value, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if member != default:
            yield field.name, member


def _compare_named(kind: str, old: dict[str, Any], new: dict[str, Any], apart: frozenset[str]) -> Iterator[Change]:
    """Things that have a name; the fields in `apart` are compared elsewhere."""
    for name in dict.fromkeys((*old, *new)):
        what = f"{kind} '{name}'"
        if name not in new:
            yield Change("removed", what)
        elif name not in old:
            yield Change("added", what)
        elif details := tuple(_differences(old[name], new[name], apart)):
            yield Change("changed", what, details)


def _differences(old: Any, new: Any, apart: frozenset[str], within: str = "") -> Iterator[str]:
    """The fields in which two values of one class differ, as `name: old > new`."""
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.name not in apart and before != after:
            yield f"{within}{field.name}: {describe(before)} > {describe(after)}"


def _compare_clusters(old: Configuration, new: Configuration) -> Iterator[Change]:
    before = {cluster.name: cluster for cluster in old.clusters}
    after = {cluster.name: cluster for cluster in new.clusters}
    yield from _compare_named("cluster", before, after, _ABOUT_CLUSTERS)
    for name in (name for name in before if name in after):
        hosts, others = _described_hosts(before[name]), _described_hosts(after[name])
        gone = [f"- {host}" for host in hosts if host not in others]
        if details := (*gone, *(f"+ {host}" for host in others if host not in hosts)):
            yield Change("changed", f"hosts of cluster '{name}'", details)


def _described_hosts(cluster: Cluster) -> list[str]:
    return [describe(host) for host in cluster.hosts]


def _virtual_hosts(listener: Listener) -> dict[str, Any]:
    manager = getattr(listener, "manager", None)
    return {host.name: host for host in manager.route_config.virtual_hosts} if manager is not None else {}


def _compare_routes(listener: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    within = f" of listener '{listener}'"
    for change in _compare_named("virtual host", old, new, frozenset({"name", "routes"})):
        yield Change(change.kind, change.what + within, change.details)
    for name in (name for name in old if name in new):
        before = [describe(route) for route in old[name].routes]
        after = [describe(route) for route in new[name].routes]
        if before != after:
            yield Change("changed", f"routes of virtual host '{name}'{within}", _reordered(before, after))


def _reordered(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    gone = tuple(f"- {route}" for route in before if route not in after)
    come = tuple(f"+ {route}" for route in after if route not in before)
    return gone + come or ("the same routes in another order",)


def _movements(old: Configuration, new: Configuration) -> Iterator[Movement]:
    for cluster in new.clusters:
        before = next((each for each in old.clusters if each.name == cluster.name), None)
        if before is not None and is_hashed(before) and is_hashed(cluster) and before != cluster:
            yield movement(before, cluster)


def is_hashed(cluster: Cluster) -> bool:
    """Whether the cluster's balancer looks at the hash of a request."""
    return cluster.lb_policy.name in ("RING_HASH", "MAGLEV")


def movement(old: Cluster, new: Cluster) -> Movement:
    """Measure which keys go elsewhere when `old` becomes `new`."""
    before, after = _choices(old), _choices(new)
    moved = sum(a != b for a, b in zip(before, after, strict=True)) / KEYS
    shares = [
        (host, before.count(host) / KEYS, after.count(host) / KEYS)
        for host in dict.fromkeys(_addresses(old) + _addresses(new))
    ]
    return Movement(new.name, moved, tuple(shares))


def _addresses(cluster: Cluster) -> list[str]:
    return [str(host.address) for host in cluster.hosts]


def _choices(cluster: Cluster) -> list[str]:
    """The host of each key; "" where there is none."""
    balancer = balancer_for(cluster, cluster.hosts)
    addresses = [*_addresses(cluster), ""]
    return [addresses[balancer.pick(xx_hash(b"%d" % key))] for key in range(KEYS)]
