"""Which route a request takes.

Virtual hosts: exact domain, longest `*suffix`, longest `prefix*`, `*`, without regard to case, the port significant;
then the first route that matches (Envoy: config.route.v3.VirtualHost).
"""

from libc.string cimport memchr, memcmp, memset

import re

from fastproxy.addresses cimport PeerAddress
from fastproxy.hashing import HashPolicies
from fastproxy.http1 cimport Head
from fastproxy.slices cimport Slice
from fastproxy.syscalls cimport strncasecmp

cdef class Destination:
    """Where a request goes: a cluster, and what sending it there changes."""

    def __init__(self, cluster, host_rewrite=None, header_rules=()):
        self.cluster = cluster
        self.host_rewrite = host_rewrite
        self.header_rules = header_rules


cdef class Route:
    """One route of a virtual host."""

    def __init__(self, model, cluster):
        self.model = model
        self.name = model.name.encode()
        self.action = ROUTE_FORWARD
        self.header_rules = ()
        self.mirrors = ()
        self.missing_cluster_status = 503
        self.cluster = cluster
        self.destination = Destination(cluster)
        self.case_sensitive = model.match.case_sensitive
        self.prefix = None if model.match.prefix is None else model.match.prefix.encode()
        self.path = None if model.match.path is None else model.match.path.encode()
        self.regex = None if model.match.regex is None else re.compile(model.match.regex.encode())
        self.hashing = HashPolicies(model.hash_policies)
        self.timeout_ms = max(1, round(model.timeout_s * 1000)) if model.timeout_s else 0
        self.timeout_is_set = model.timeout_is_set
        self.allow_websocket = model.allow_websocket
        self.prefix_rewrite = model.prefix_rewrite.encode() or None
        self.host_rewrite = model.host_rewrite.encode() or None

    cdef bint matches(self, const RequestFacts *facts) except -1:
        """Whether the request's path, query included, matches."""
        cdef Slice path = facts.path
        cdef const char *query
        cdef size_t length
        if self.prefix is not None:
            length = len(self.prefix)
            return length <= path.length and self.same(path.data, self.prefix, length)
        query = <const char *> memchr(path.data, c"?", path.length)
        length = query - path.data if query != NULL else path.length
        if self.path is not None:
            return length == <size_t> len(self.path) and self.same(path.data, self.path, length)
        return self.regex.fullmatch(path.data[:length]) is not None

    cdef bint same(self, const char *text, bytes other, size_t length):
        if self.case_sensitive:
            return memcmp(text, <const char *> other, length) == 0
        return strncasecmp(text, <const char *> other, length) == 0

    cdef Destination choose(self, const RequestFacts *facts):
        """Where this request goes; None when the cluster that it should go to does not exist."""
        return self.destination

    cdef bytes location(self, const RequestFacts *facts):
        """Where a redirect sends the client."""
        return b""

    cdef bytes rewritten_path(self, const RequestFacts *facts):
        """The path that the upstream is asked for, query included; None: the one that the client asked for."""
        if self.prefix_rewrite is None:
            return None
        cdef Slice path = facts.path
        cdef const char *query = <const char *> memchr(path.data, c"?", path.length)
        cdef size_t length = query - path.data if query != NULL else path.length
        if self.prefix is not None:
            length = len(self.prefix)
        return self.prefix_rewrite + path.data[length:path.length]

    cdef bytes rewritten_host(self, Destination destination, const RequestFacts *facts):
        """The authority that the upstream is asked with; None: the one that the client asked with."""
        return self.host_rewrite if destination.host_rewrite is None else destination.host_rewrite


cdef class VirtualHost:
    def __init__(self, name, routes):
        self.name = name.encode()
        self.routes = tuple(routes)

    cdef Route find(self, const RequestFacts *facts):
        """The first route that matches; None when none does."""
        cdef Route route
        for route in self.routes:
            if route.matches(facts):
                return route
        return None


cdef class RouteTable:
    """The virtual hosts of one route configuration."""

    def __init__(self, model, clusters):
        self.exact = {}
        self.suffixes = []
        self.prefixes = []
        for virtual_host in model.virtual_hosts:
            routes = [Route(route, clusters[route.cluster]) for route in virtual_host.routes]
            for domain in virtual_host.domains:
                self.add(domain.lower().encode(), VirtualHost(virtual_host.name, routes))
        self.suffixes.sort(key=lambda entry: -len(entry[0]))
        self.prefixes.sort(key=lambda entry: -len(entry[0]))

    def add(self, domain, virtual_host):
        if domain == b"*":
            self.default = virtual_host
        elif domain.startswith(b"*"):
            self.suffixes.append((domain[1:], virtual_host))
        elif domain.endswith(b"*"):
            self.prefixes.append((domain.removesuffix(b"*"), virtual_host))
        else:
            self.exact[domain] = virtual_host

    cdef Route find(self, const RequestFacts *facts):
        """The route for a request; None when no virtual host or no route of it matches."""
        cdef VirtualHost virtual_host = self.default
        if self.exact or self.suffixes or self.prefixes:
            virtual_host = self.named(facts.authority.data[:facts.authority.length].lower())
        return virtual_host.find(facts) if virtual_host is not None else None

    def named(self, authority):
        """The virtual host for a lower-case authority, with Envoy's order of precedence."""
        found = self.exact.get(authority)
        if found is not None:
            return found
        for suffix, virtual_host in self.suffixes:
            if len(authority) > len(suffix) and authority.endswith(suffix):
                return virtual_host
        for prefix, virtual_host in self.prefixes:
            if len(authority) > len(prefix) and authority.startswith(prefix):
                return virtual_host
        return self.default

    def route(self, authority: bytes, path: bytes):
        """The route for a request without headers, for whoever is not on the hot path."""
        cdef RequestFacts facts
        cdef Head head
        cdef PeerAddress client
        memset(&client, 0, sizeof(client))
        memset(&facts, 0, sizeof(facts))
        head.count = 0
        head.seen = head.repeated = 0
        facts.head = &head
        facts.remote = &client
        facts.fd = -1
        facts.authority = Slice(authority, len(authority))
        facts.path = Slice(path, len(path))
        return self.find(&facts)


cdef HashPolicies hash_policies_of(Route route, Cluster cluster):
    """What is hashed of a request on its way to the cluster: a balancer may have policies of its own."""
    return route.hashing if cluster is None or cluster.hashing is None else <HashPolicies> cluster.hashing
