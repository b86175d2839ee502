"""DNS for strict_dns and logical_dns clusters: names become host sets, again and again.

A lookup is getaddrinfo in a thread that lives only as long as the lookup: a pool's idle threads would be there whenever
the supervisor forks. A name that fails keeps the addresses of its last good answer. IP literals never go to DNS.
"""

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fastproxy.model import Address, Cluster, ClusterType, DnsLookupFamily, Host

log = logging.getLogger("fastproxy.dns")

Addresses = tuple[str, ...]
LookUp = Callable[[str, DnsLookupFamily], Addresses]


def is_ip_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False


def is_localhost(name: str) -> bool:
    """Whether a name is `localhost` or below it: this machine, whatever DNS says (RFC 6761 section 6.3)."""
    return f".{name}".removesuffix(".").lower().endswith(".localhost")


def look_up(name: str, family: DnsLookupFamily) -> Addresses:
    """The addresses of `name`, most preferred first, each once; OSError when there are none.

    AUTO takes the IPv6 addresses, or the IPv4 ones where there is no IPv6 (Envoy: Cluster.DnsLookupFamily).
    """
    if is_localhost(name):
        return ("127.0.0.1",) if family is DnsLookupFamily.V4_ONLY else ("::1",)
    wanted = {DnsLookupFamily.V4_ONLY: socket.AF_INET, DnsLookupFamily.V6_ONLY: socket.AF_INET6}
    answers = socket.getaddrinfo(name, None, wanted.get(family, socket.AF_UNSPEC), socket.SOCK_STREAM)
    by_family = {
        version: tuple(dict.fromkeys(str(answer[4][0]) for answer in answers if answer[0] == version))
        for version in (socket.AF_INET6, socket.AF_INET)
    }
    return by_family[socket.AF_INET6] or by_family[socket.AF_INET]


class Slots:
    """Which of a cluster's `capacity` blocks of counters belongs to which address.

    An address that goes keeps its block until the block is needed, and finds its counters again when it comes back.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._by_address: dict[Address, int] = {}  # the one that was gone first comes first

    def copy(self, capacity: int) -> "Slots":
        """The same in a place of at least this size."""
        other = Slots(capacity)
        other._by_address = dict(self._by_address)
        return other

    def together_with(self, addresses: Iterable[Address]) -> int:
        """How many blocks these addresses and those known would take."""
        return len(self._by_address.keys() | set(addresses))

    def assign(self, addresses: Sequence[Address]) -> list[int]:
        """The slots of at most `capacity` different addresses."""
        known = self._by_address
        for address in addresses:
            if address in known:
                known[address] = known.pop(address)
        for address in addresses:
            if address not in known:
                known[address] = len(known) if len(known) < self.capacity else known.pop(next(iter(known)))
        return [known[address] for address in addresses]


class ClusterResolver:
    """The host set of one cluster, kept up to date by answers.

    `hosts` is the set as of now.
    """

    def __init__(self, cluster: Cluster, capacity: int, slots: Slots | None = None) -> None:
        self.cluster = cluster
        self.names = tuple(
            dict.fromkeys(host.address.host for host in cluster.hosts if not is_ip_literal(host.address.host))
        )
        self.attempts = self.successes = self.failures = self.changes = 0
        self.pending: set[str] = set()
        self._failing: set[str] = set()
        self._slots = slots or Slots(capacity)
        self._answers: dict[str, Addresses] = {}
        self.hosts: tuple[Host, ...] = ()
        self.hosts = self._merge()

    def succeed(self, name: str, addresses: Addresses) -> bool:
        """Take an answer; whether the host set has changed by it."""
        self.pending.discard(name)
        self.successes += 1
        if name in self._failing:
            self._failing.discard(name)
            log.info("cluster '%s': '%s' resolves again", self.cluster.name, name)
        self._answers[name] = addresses
        merged = self._merge()
        changed, self.hosts = merged != self.hosts, merged
        self.changes += changed
        return changed

    def fail(self, name: str, error: Exception) -> None:
        """Take a failure. Only the first of a row is logged: the next comes with the next refresh."""
        self.pending.discard(name)
        self.failures += 1
        if name in self._failing:
            return
        self._failing.add(name)
        kept = "keeping the last answer" if name in self._answers else "no hosts from this name"
        log.warning("cluster '%s': cannot resolve '%s': %s (%s)", self.cluster.name, name, error, kept)

    def _merge(self) -> tuple[Host, ...]:
        """The host set by the answers so far: each address once, as in Envoy. Another order is no change."""
        found: dict[Address, Host] = {}
        for configured in self.cluster.hosts:
            for host in self._expand(configured):
                found.setdefault(host.address, host)
        hosts = list(found.values())
        if self.cluster.type is ClusterType.LOGICAL_DNS:
            hosts = hosts[:1]
        if len(hosts) > self._slots.capacity:
            log.warning("cluster '%s': %d hosts, only %d are used", self.cluster.name, len(hosts), self._slots.capacity)
            hosts = hosts[: self._slots.capacity]
        if set(hosts) == set(self.hosts):
            return self.hosts
        slots = self._slots.assign([host.address for host in hosts])
        return tuple(replace(host, slot=slot) for host, slot in zip(hosts, slots, strict=True))

    def _expand(self, host: Host) -> Iterable[Host]:
        name = host.address.host
        addresses = (name,) if is_ip_literal(name) else self._answers.get(name, ())
        named = replace(host, hostname=host.hostname or name)
        return (replace(named, address=Address(ip, host.address.port)) for ip in addresses)


def in_thread(
    name: str, family: DnsLookupFamily, done: Callable[[str, Addresses | Exception], None], lookup: LookUp = look_up
) -> None:
    """Look `name` up in a thread of its own; `done(name, addresses or the error)` is called in that thread."""

    def run() -> None:
        try:
            answer: Addresses | Exception = lookup(name, family)
        except (OSError, UnicodeError) as error:
            answer = error
        done(name, answer)

    threading.Thread(target=run, name=f"dns {name}", daemon=True).start()


def resolve_first(resolvers: list[ClusterResolver], timeout_s: float, lookup: LookUp = look_up) -> None:
    """Resolve all clusters at once, for at most `timeout_s` together. What has no answer by then starts empty."""
    answers: queue.SimpleQueue[tuple[ClusterResolver, str, Addresses | Exception]] = queue.SimpleQueue()
    deadline = time.monotonic() + timeout_s
    for resolver in resolvers:
        start(resolver, lambda r, name, answer: answers.put((r, name, answer)), lookup)
    while any(resolver.pending for resolver in resolvers):
        try:
            take(*answers.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            break
    for resolver in resolvers:
        for name in sorted(resolver.pending):
            resolver.fail(name, TimeoutError(f"no answer within {timeout_s:g} s"))


def start(
    resolver: ClusterResolver,
    done: Callable[[ClusterResolver, str, Addresses | Exception], None],
    lookup: LookUp = look_up,
) -> None:
    """Begin a lookup of each name of the cluster that is not being looked up already. `done` is called in threads."""
    for name in resolver.names:
        if name not in resolver.pending:
            resolver.pending.add(name)
            resolver.attempts += 1
            in_thread(name, resolver.cluster.dns_lookup_family, lambda n, a: done(resolver, n, a), lookup)


def take(resolver: ClusterResolver, name: str, answer: Addresses | Exception) -> bool:
    """Hand an answer or an error to its cluster; whether the host set has changed by it."""
    if isinstance(answer, Exception):
        resolver.fail(name, answer)
        return False
    return resolver.succeed(name, answer)
