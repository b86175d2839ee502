"""A cluster's hosts by priority and health, and how much of the requests each priority gets.

A host set is what a balancer is made of. Whoever learns something new about a host (the file, DNS, a health check)
makes a new `model.Host` of it, and with that new host sets and a new balancer.

Source: Envoy's load balancing documentation (priority levels, degraded endpoints, panic threshold, locality weighted).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastproxy.model import Cluster, Health, HealthConfig, Host, Locality

Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HostSet:
    """The hosts of one priority, as places in the cluster's list of hosts."""

    hosts: Places
    healthy: Places
    degraded: Places
    excluded: Places = ()
    """Hosts that drain, ask to be left out or wait for their first check: the share of the healthy ones is taken of the
    others, as if these were not there."""

    @property
    def counted(self) -> Places:
        return tuple(place for place in self.hosts if place not in self.excluded) if self.excluded else self.hosts

    def of(self, health: Health, in_panic: bool) -> Places:
        """Those that take requests: in a panic all of them do."""
        if in_panic:
            return self.hosts
        return self.degraded if health is Health.DEGRADED else self.healthy


@dataclass(frozen=True, slots=True)
class Share:
    """Of 100 requests `percent` go to the hosts of that health in that priority, or to all in a panic."""

    priority: int
    health: Health
    percent: int
    in_panic: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What the priorities get: per cent by priority, for their healthy and for their degraded hosts.

    `available` is what both could take at most.
    """

    healthy: tuple[int, ...]
    degraded: tuple[int, ...]
    in_panic: tuple[bool, ...]
    available: tuple[tuple[int, ...], tuple[int, ...]]

    def shares(self) -> tuple[Share, ...]:
        """In the order of the draw: first all healthy ones, then the degraded."""
        kinds = ((Health.HEALTHY, self.healthy), (Health.DEGRADED, self.degraded))
        return tuple(
            Share(priority, health, percent, self.in_panic[priority])
            for health, percents in kinds
            for priority, percent in enumerate(percents)
            if percent
        )


def host_sets(hosts: Sequence[Host]) -> tuple[HostSet, ...]:
    """One for each priority from 0 to the last that has hosts; there is always a priority 0."""
    last = max((host.priority for host in hosts), default=0)
    return tuple(_host_set(hosts, priority) for priority in range(last + 1))


def _host_set(hosts: Sequence[Host], priority: int) -> HostSet:
    here = [(place, host.health) for place, host in enumerate(hosts) if host.priority == priority]
    healthy, degraded = (
        tuple(place for place, health in here if health is wanted) for wanted in (Health.HEALTHY, Health.DEGRADED)
    )
    everybody = tuple(place for place, _ in here)
    excluded = tuple(place for place in everybody if hosts[place].is_excluded)
    return HostSet(everybody, healthy, degraded, excluded)


def load(sets: Sequence[HostSet], hosts: Sequence[Host], config: HealthConfig) -> Load:
    """How the requests are shared out among priorities."""
    healthy = [_available(each.healthy, each.counted, hosts, config) for each in sets]
    degraded = [_available(each.degraded, each.counted, hosts, config) for each in sets]
    total = min(100, sum(healthy) + sum(degraded))
    available = (tuple(healthy), tuple(degraded))
    panic = tuple(total != 100 and _is_short(each, config.panic_threshold) for each in sets)
    if total == 0 and not all(panic):
        return Load((100, *[0] * (len(sets) - 1)), (0,) * len(sets), panic, available)
    if all(panic):
        return Load(_by_number([len(each.hosts) for each in sets]), (0,) * len(sets), panic, available)
    return Load(*_distribute(healthy, degraded, total), panic, available)


def _available(some: Places, all_of_them: Places, hosts: Sequence[Host], config: HealthConfig) -> int:
    """Per cent, overprovisioning included."""
    if not all_of_them:
        return 0
    if config.weighted_priority_health:
        weights = [sum(hosts[place].weight for place in places) for places in (some, all_of_them)]
    else:
        weights = [len(some), len(all_of_them)]
    return min(100, config.overprovisioning_factor * weights[0] // weights[1])


def _is_short(each: HostSet, threshold: int) -> bool:
    count = len(each.counted)
    return (100.0 * len(each.healthy) / count + 100.0 * len(each.degraded) / count if count else 0.0) < threshold


def _by_number(counts: Sequence[int]) -> tuple[int, ...]:
    """By the number of hosts, whatever their health; what rounding leaves goes to the first that has any."""
    everybody = sum(counts)
    if not everybody:
        return (100, *[0] * (len(counts) - 1))
    loads = [100 * count // everybody for count in counts]
    first = next(i for i, count in enumerate(counts) if count)
    loads[first] += 100 - sum(loads)
    return tuple(loads)


def _distribute(healthy: list[int], degraded: list[int], total: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """As much as each can take, healthy hosts first; what rounding leaves goes to the first that takes any."""
    left = 100
    loads: list[list[int]] = [[], []]
    for kind, availabilities in enumerate((healthy, degraded)):
        for available in availabilities:
            part = min(left, available * 100 // total)
            loads[kind].append(part)
            left -= part
    kind = 0 if any(healthy) else 1
    first = next((i for i, available in enumerate((healthy, degraded)[kind]) if available), 0)
    loads[kind][first] += left
    return tuple(loads[0]), tuple(loads[1])


def by_locality(places: Places, hosts: Sequence[Host]) -> dict[Locality, Places]:
    """The hosts by locality, in Envoy's order of localities."""
    found: dict[Locality, list[int]] = {}
    for place in places:
        found.setdefault(hosts[place].locality, []).append(place)
    return {locality: tuple(found[locality]) for locality in sorted(found)}


def locality_weights(cluster: Cluster, priority: int) -> dict[Locality, int] | None:
    """Weight by locality; one that is not in it has none. None: localities do not share out requests."""
    if cluster.locality_weights is None:
        return None
    return {each.locality: each.weight for each in cluster.locality_weights if each.priority == priority}


def effective_weights(
    chosen: Places, everybody: Places, hosts: Sequence[Host], weights: dict[Locality, int], factor: int
) -> dict[Locality, float]:
    """Weights of the localities that can take requests, less where many hosts are not among the `chosen`."""
    found = by_locality(chosen, hosts)
    effective = {
        locality: weights.get(locality, 0) * min(1.0, factor / 100.0 * (1.0 * len(found.get(locality, ())) / len(here)))
        for locality, here in by_locality(everybody, hosts).items()
    }
    return {locality: weight for locality, weight in effective.items() if weight > 0}


def normalized_shares(
    places: Places, everybody: Places, hosts: Sequence[Host], weights: dict[Locality, int] | None
) -> list[tuple[int, float]]:
    """`(place, share)` in the order in which a ring or a table takes hosts; the shares sum up to 1.

    Hosts of a locality without weight are left out, and those of a locality without hosts leave their share unused.
    """
    if weights is None:
        return _shares(places, hosts, 1.0)
    localities = by_locality(everybody, hosts)
    total = sum(weights.get(locality, 0) for locality in localities)
    chosen = by_locality(places, hosts)
    found: list[tuple[int, float]] = []
    for locality in localities:
        if weights.get(locality, 0):
            found += _shares(chosen.get(locality, ()), hosts, float(weights[locality]) / total)
    return found


def _shares(places: Places, hosts: Sequence[Host], part: float) -> list[tuple[int, float]]:
    total = sum(hosts[place].weight for place in places)
    return [(place, hosts[place].weight * part / total) for place in places]
