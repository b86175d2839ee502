"""What `/stats` and `/clusters` say of sessions: by host, and how evenly a cluster's hosts share them.

Live at a host are the sessions that the table of sessions has for it and its WebSockets.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fastproxy._ring import xx_hash
from fastproxy._sessions import SessionTable
from fastproxy.model import Address, Cluster
from fastproxy.scopes import HOST_NAMES, is_gauge, sanitize
from fastproxy.stats import Statistic, StatsReader

LiveAt = Callable[[Address], int]
"""How many sessions the table has for the host with that address."""

SHOWN = tuple(name for name in HOST_NAMES if name.startswith(("sid_", "ws_", "packets_", "cx_rx_bytes", "cx_tx_bytes")))
"""What `/stats` has of a host."""


@dataclass(frozen=True, slots=True)
class HostSessions:
    address: str
    weight: int
    counters: dict[str, int]
    live: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Live sessions of a cluster: all, and at the hosts that have most and least of them. A host's number is divided
    by its weight and multiplied by the mean weight, so that in a perfect spread hosts of any weights agree."""

    live: int
    most: int
    least: int


def live_in(sessions: memoryview, key: bytes) -> LiveAt:
    """Asks the session table in that memory."""
    if not sessions:
        return lambda address: 0
    table = SessionTable(sessions, key)
    return lambda address: table.live(digest_of(address))


def digest_of(address: Address) -> int:
    """The name of a host in the session table."""
    return xx_hash(str(address).encode()) & 0xFFFFFFFF


def by_host(cluster: Cluster, reader: StatsReader, live_at: LiveAt) -> list[HostSessions]:
    """The hosts in the order of the cluster."""
    found = []
    for index, host in enumerate(cluster.hosts):
        counters = reader.host(cluster.name, index if host.slot < 0 else host.slot)
        live = live_at(host.address) + counters["ws_active"]
        found.append(HostSessions(str(host.address), host.weight, counters, live))
    return found


def spread(hosts: list[HostSessions]) -> Spread:
    if not hosts:
        return Spread(0, 0, 0)
    mean = sum(host.weight for host in hosts) / len(hosts)
    loads = [round(host.live * mean / host.weight) for host in hosts]
    return Spread(sum(host.live for host in hosts), max(loads), min(loads))


def statistics(cluster: Cluster, reader: StatsReader, live_at: LiveAt) -> Iterator[Statistic]:
    """As Envoy names what it counts by endpoint; and the cluster's spread."""
    scope = f"cluster.{sanitize(cluster.stat_name)}"
    hosts = by_host(cluster, reader, live_at)
    for host in hosts:
        prefix = f"{scope}.endpoint.{sanitize(host.address)}"
        yield Statistic(f"{prefix}.sid_live", host.live, True)
        for name in SHOWN:
            yield Statistic(f"{prefix}.{name}", host.counters[name], is_gauge(name))
    for name, value in told(spread(hosts)):
        yield Statistic(f"{scope}.{name}", value, True)


def told(spread: Spread) -> Iterator[tuple[str, int]]:
    """The spread by the names of its gauges."""
    yield from (("sid_live", spread.live), ("sid_live_most", spread.most), ("sid_live_least", spread.least))
