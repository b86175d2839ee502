"""Lookups by DNS queries of our own, for what getaddrinfo cannot do: ask certain servers, see how long answers last.

The hosts file comes first here too. dnspython is imported by the first lookup, in its thread: most servers never need
it.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fastproxy.model import DnsLookupFamily, DnsResolution

if TYPE_CHECKING:
    from dns.resolver import Resolver

MAX_QUERY_S = 15.0
"""How long asking for the addresses of one family may take, all servers and tries together."""
HOSTS_FILE = Path("/etc/hosts")

# A process that is forked while a thread imports would find modules that are never finished.
_importing = threading.Lock()
os.register_at_fork(before=_importing.acquire, after_in_parent=_importing.release, after_in_child=_importing.release)


class Answer(NamedTuple):
    """The addresses of a name, most preferred first, and for how long they hold (None: nobody said)."""

    addresses: tuple[str, ...]
    ttl_s: float | None = None


def by_preference(family: DnsLookupFamily, v6: Sequence[str], v4: Sequence[str]) -> tuple[str, ...]:
    """Those addresses that the family admits (Envoy: Cluster.DnsLookupFamily), each once."""
    found = {
        DnsLookupFamily.AUTO: v6 or v4,
        DnsLookupFamily.V4_ONLY: v4,
        DnsLookupFamily.V6_ONLY: v6,
        DnsLookupFamily.V4_PREFERRED: v4 or v6,
        DnsLookupFamily.ALL: (*v6, *v4),
    }
    return tuple(dict.fromkeys(found[family]))


def query(name: str, family: DnsLookupFamily, resolution: DnsResolution) -> Answer:
    """What the hosts file says of a name, or else the servers; OSError when there is no address."""
    known = by_preference(family, *_in_hosts_file(name))
    return Answer(known) if known else _ask(name, family, resolution)


def _in_hosts_file(name: str) -> tuple[list[str], list[str]]:
    """The IPv6 and the IPv4 addresses of a name (hosts(5))."""
    wanted = name.rstrip(".").lower()
    found = [address for address, names in _hosts() if wanted in names]
    return [each for each in found if ":" in each], [each for each in found if ":" not in each]


def _hosts() -> Iterator[tuple[str, list[str]]]:
    try:
        text = HOSTS_FILE.read_text("utf-8", "replace")
    except OSError:
        return
    for line in text.splitlines():
        address, *names = line.partition("#")[0].lower().split() or [""]
        if names and "%" not in address:
            yield address, names


def _ask(name: str, family: DnsLookupFamily, resolution: DnsResolution) -> Answer:
    resolver = _resolver(resolution)
    found: dict[str, list[str]] = {"AAAA": [], "A": []}
    ttls: list[float] = []
    errors: list[OSError] = []
    for kind in _kinds(family):
        try:
            found[kind], ttl_s = _ask_for(kind, name, resolver, resolution)
        except OSError as error:
            errors.append(error)
            continue
        ttls.append(ttl_s)
        if family is not DnsLookupFamily.ALL:
            break
    if not ttls:
        raise errors[0]
    return Answer(by_preference(family, found["AAAA"], found["A"]), min(ttls))


def _kinds(family: DnsLookupFamily) -> tuple[str, ...]:
    """The types of records to ask for; but for ALL the next only if the one before it has none."""
    kinds = {
        DnsLookupFamily.V4_ONLY: ("A",),
        DnsLookupFamily.V6_ONLY: ("AAAA",),
        DnsLookupFamily.V4_PREFERRED: ("A", "AAAA"),
    }
    return kinds.get(family, ("AAAA", "A"))


def _resolver(resolution: DnsResolution) -> "Resolver":
    with _importing:
        from dns.exception import DNSException
        from dns.nameserver import Do53Nameserver
        from dns.resolver import Resolver
    named = [Do53Nameserver(each.host, each.port) for each in resolution.resolvers]
    try:
        resolver = Resolver()
    except DNSException as error:
        if not named:
            raise OSError(str(error)) from None
        resolver = Resolver(configure=False)
    if named and not (resolution.use_resolvers_as_fallback and resolver.nameservers):
        resolver.nameservers = named
    resolver.rotate = resolver.rotate or resolution.rotate
    resolver.timeout = resolution.query_timeout_s
    tries = resolution.query_tries * max(1, len(resolver.nameservers))
    resolver.lifetime = min(MAX_QUERY_S, resolution.query_timeout_s * tries)
    return resolver


def _ask_for(kind: str, name: str, resolver: "Resolver", resolution: DnsResolution) -> tuple[list[str], float]:
    """The addresses of one family and their time to live in seconds, that of aliases on the way included."""
    from dns.exception import DNSException

    try:
        answer = resolver.resolve(name, kind, tcp=resolution.use_tcp, search=not resolution.no_default_search_domain)
    except DNSException as error:
        raise OSError(f"{error}") from None
    return [record.to_text() for record in answer], float(answer.chaining_result.minimum_ttl)
