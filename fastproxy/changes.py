"""What one configuration changes of another: listeners, routes, clusters, and the share of keys that move.

Works on the model alone. How many keys move is measured on the very balancers that traffic takes, with keys that spread
evenly; a host that is a DNS name counts as one host, for its addresses are not asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from itertools import zip_longest
from typing import Any

from fastproxy._ring import xx_hash
from fastproxy.balancers import balancer_for
from fastproxy.model import Cluster, Configuration, Listener, VirtualHost

KEYS = 20_000
"""Keys that are looked up on both rings: enough to tell a share to half a percent."""
_ABOUT_LISTENERS = frozenset({"name", "filter", "filter_chains"})
_ABOUT_MANAGERS = frozenset({"route_config"})
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
    server: tuple[Change, ...] = ()
    """What a reload leaves as it is and the next start changes."""

    @property
    def is_empty(self) -> bool:
        return not (self.listeners or self.routes or self.clusters or self.server)


def compare(old: Configuration, new: Configuration) -> Changes:
    """What a reload from `old` to `new` would change."""
    before = {listener.name: listener for listener in old.listeners}
    after = {listener.name: listener for listener in new.listeners}
    both = [(name, before[name], after[name]) for name in before if name in after]
    filters = [change for name, one, other in both for change in _compare_filters(name, one, other)]
    return Changes(
        (*_compare_named("listener", before, after, _ABOUT_LISTENERS), *filters),
        tuple(
            change for name, one, other in both for change in _compare_routes(name, _hosts_of(one), _hosts_of(other))
        ),
        tuple(_compare_clusters(old, new)),
        tuple(_movements(old, new)),
        tuple(_compare_servers(old, new)),
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


def _compare_servers(old: Configuration, new: Configuration) -> Iterator[Change]:
    before, after = old.session_table_slots, new.session_table_slots
    if before != after:
        yield Change("changed", "session table", (f"session_table_slots: {before} > {after}, from the next start on",))


def _compare_clusters(old: Configuration, new: Configuration) -> Iterator[Change]:
    before = {cluster.name: cluster for cluster in old.clusters}
    after = {cluster.name: cluster for cluster in new.clusters}
    yield from _compare_named("cluster", before, after, _ABOUT_CLUSTERS)
    for name in (name for name in before if name in after):
        hosts, others = _described(before[name].hosts), _described(after[name].hosts)
        gone = [f"- {host}" for host in hosts if host not in others]
        if details := (*gone, *(f"+ {host}" for host in others if host not in hosts)):
            yield Change("changed", f"hosts of cluster '{name}'", details)


def _compare_filters(name: str, old: Listener, new: Listener) -> Iterator[Change]:
    """Filter chains and filters in their order, but for the routes of connection managers."""
    matches, others = ([chain.match for chain in each.filter_chains] for each in (old, new))
    if matches != others:
        yield Change("changed", f"filter chains of listener '{name}'", _reordered(*map(_described, (matches, others))))
    for before, after in zip_longest(old.filters, new.filters):
        if type(before) is not type(after):
            kinds = (type(each).__name__ if each else "none" for each in (before, after))
            yield Change("changed", f"filter of listener '{name}'", (" > ".join(kinds),))
        elif details := tuple(_differences(before, after, _ABOUT_MANAGERS)):
            yield Change("changed", f"{type(before).__name__} of listener '{name}'", details)


def _hosts_of(listener: Listener) -> dict[str, VirtualHost]:
    """The virtual hosts of all connection managers of a listener by name."""
    return {host.name: host for manager in listener.managers for host in manager.route_config.virtual_hosts}


def _described(values: Sequence[Any]) -> list[str]:
    return [describe(value) for value in values]


def _compare_routes(listener: str, old: dict[str, VirtualHost], new: dict[str, VirtualHost]) -> Iterator[Change]:
    within = f" of listener '{listener}'"
    for change in _compare_named("virtual host", old, new, frozenset({"name", "routes"})):
        yield Change(change.kind, change.what + within, change.details)
    for name in (name for name in old if name in new):
        before, after = _described(old[name].routes), _described(new[name].routes)
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
