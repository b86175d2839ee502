"""DNS for strict_dns and logical_dns clusters: names become host sets, again and again.

A lookup is getaddrinfo, or queries of our own for clusters that need them, in a thread. A name that fails keeps the
addresses of its last good answer. IP literals never go to DNS.
"""

import logging
import queue
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fastproxy import dns_queries
from fastproxy.dns_queries import Answer, by_preference
from fastproxy.lookup_threads import LookupThreads
from fastproxy.model import Address, Cluster, ClusterType, DnsLookupFamily, DnsResolution, Host
from fastproxy.refresh_rates import RefreshRates

log = logging.getLogger("fastproxy.dns")

Addresses = tuple[str, ...]
LookUp = Callable[[Cluster, str], Answer]

_SYSTEM = DnsResolution()
_threads = LookupThreads()


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


def look_up_for(cluster: Cluster, name: str) -> Answer:
    """What `name` is for that cluster; OSError when there is no address."""
    family, resolution = cluster.dns_lookup_family, cluster.dns_resolution
    if is_localhost(name) or not (cluster.respect_dns_ttl or resolution != _SYSTEM):
        return Answer(look_up(name, family))
    return dns_queries.query(name, family, resolution)


def look_up(name: str, family: DnsLookupFamily) -> Addresses:
    """The addresses of `name` as the system has them, most preferred first, each once; OSError when there are none."""
    if is_localhost(name):
        return by_preference(family, ["::1"], ["127.0.0.1"])
    wanted = {DnsLookupFamily.V4_ONLY: socket.AF_INET, DnsLookupFamily.V6_ONLY: socket.AF_INET6}
    answers = socket.getaddrinfo(name, None, wanted.get(family, socket.AF_UNSPEC), socket.SOCK_STREAM)
    found = [str(answer[4][0]) for answer in answers]
    if family is DnsLookupFamily.ALL:
        return tuple(dict.fromkeys(found))  # the system knows best which of them can be reached (RFC 6724)
    return by_preference(family, [each for each in found if ":" in each], [each for each in found if ":" not in each])


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
        self.refresh_rates = RefreshRates(cluster)
        self._failing: set[str] = set()
        self._slots = slots or Slots(capacity)
        self._answers: dict[str, Addresses] = {}
        self.hosts: tuple[Host, ...] = ()
        self.hosts = self._merge()

    @property
    def is_awaited(self) -> bool:
        """Whether there is a reason to wait for it before its hosts are used (Envoy: wait_for_warm_on_init)."""
        return bool(self.pending) and self.cluster.wait_for_warm_on_init

    def succeed(self, name: str, addresses: Addresses, ttl_s: float | None = None) -> bool:
        """Take an answer; whether the host set has changed by it."""
        self.pending.discard(name)
        self.successes += 1
        self.refresh_rates.succeed(name, ttl_s)
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
        self.refresh_rates.fail(name)
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


def in_thread(work: Callable[[], Answer], done: Callable[[Answer | Exception], None]) -> None:
    """Do a lookup in a thread; `done` is called with the answer or the error, in that thread as a rule."""

    def run() -> None:
        try:
            answer: Answer | Exception = work()
        except Exception as error:  # whatever it is: a name that nobody answers for is never asked for again
            answer = error
        done(answer)

    try:
        _threads.run(run)
    except OSError as error:
        done(error)


def resolve_first(resolvers: list[ClusterResolver], timeout_s: float, lookup: LookUp = look_up_for) -> None:
    """Resolve all clusters at once, for at most `timeout_s` together. What has no answer by then starts empty, and so
    does a cluster that is not to be waited for."""
    answers: queue.SimpleQueue[tuple[ClusterResolver, str, Answer | Exception]] = queue.SimpleQueue()
    deadline = time.monotonic() + timeout_s
    for resolver in resolvers:
        if resolver.cluster.wait_for_warm_on_init:
            start(resolver, lambda r, name, answer: answers.put((r, name, answer)), lookup)
    while any(resolver.pending for resolver in resolvers):
        try:
            take(*answers.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            break
    for resolver in resolvers:
        for name in sorted(resolver.pending):
            resolver.fail(name, TimeoutError(f"no answer within {timeout_s:g} s"))


Done = Callable[[ClusterResolver, str, Answer | Exception], None]


def start(resolver: ClusterResolver, done: Done, lookup: LookUp = look_up_for) -> None:
    """Begin a lookup of each name of the cluster that is not being looked up already. `done` is called in threads."""
    for name in resolver.names:
        start_name(resolver, name, done, lookup)


def start_name(resolver: ClusterResolver, name: str, done: Done, lookup: LookUp = look_up_for) -> None:
    """The same for one of its names."""
    if name not in resolver.pending:
        resolver.pending.add(name)
        resolver.attempts += 1
        in_thread(lambda: lookup(resolver.cluster, name), lambda answer: done(resolver, name, answer))


def take(resolver: ClusterResolver, name: str, answer: Answer | Exception) -> bool:
    """Hand an answer or an error to its cluster; whether the host set has changed by it."""
    if isinstance(answer, Exception):
        resolver.fail(name, answer)
        return False
    return resolver.succeed(name, *answer)
