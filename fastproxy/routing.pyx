"""Which route a request takes, and the hash by which its cluster chooses a host.

Virtual hosts: exact domain, longest `*suffix`, longest `prefix*`, `*`, without regard to case, the port significant;
then the first route that matches (Envoy: config.route.v3.VirtualHost). Hashing: envoy-reference "Request hash".
"""

from libc.string cimport memchr, memcmp

import re

from fastproxy._ring cimport xx_hash_64
from fastproxy.http1 cimport H_ACCEPT, H_ACCEPT_ENCODING, H_AUTHORIZATION, H_CACHE_CONTROL, H_CONTENT_TYPE
from fastproxy.http1 cimport H_ORIGIN, H_REFERER, H_USER_AGENT, H_VIA, H_X_CLIENT_TRACE_ID, H_X_FORWARDED_FOR
from fastproxy.http1 cimport H_X_FORWARDED_PROTO, H_X_REQUEST_ID
from fastproxy.slices cimport Field
from fastproxy.syscalls cimport strncasecmp

# Envoy keeps these as one line each: repeated ones are joined before they are hashed.
cdef uint64_t JOINED = (
    1ULL << <int> H_ACCEPT | 1ULL << <int> H_ACCEPT_ENCODING | 1ULL << <int> H_AUTHORIZATION
    | 1ULL << <int> H_CACHE_CONTROL | 1ULL << <int> H_CONTENT_TYPE | 1ULL << <int> H_ORIGIN | 1ULL << <int> H_REFERER
    | 1ULL << <int> H_USER_AGENT | 1ULL << <int> H_VIA | 1ULL << <int> H_X_CLIENT_TRACE_ID
    | 1ULL << <int> H_X_FORWARDED_FOR | 1ULL << <int> H_X_FORWARDED_PROTO | 1ULL << <int> H_X_REQUEST_ID
)


cdef inline uint64_t rotl(uint64_t value) noexcept nogil:
    return value << 1 | value >> 63


cdef class HashPolicy:
    """Hashes one request header."""

    def __init__(self, model):
        self.header_name = model.header_name.lower().encode()
        self.terminal = model.terminal

    cdef bint add(self, Head *head, Slice path, Slice authority, uint64_t *hash, bint has_hash) except -1:
        """Combine this policy's hash into `hash`; whether there is a hash now."""
        cdef uint64_t new
        cdef const char *name = self.header_name
        cdef size_t length = len(self.header_name)
        cdef Slice value
        cdef int i, found = -1
        cdef bint several = False
        if name[0] == c":":
            if not pseudo_header(&value, self.header_name, head, path, authority):
                return has_hash
            new = xx_hash_64(value.data, value.length, 0)
        else:
            for i in range(head.count):
                if head.fields[i].name.length == length and memcmp(head.fields[i].name.data, name, length) == 0:
                    several = found >= 0
                    if several:
                        break
                    found = i
            if found < 0:
                return has_hash
            value = head.fields[found].value
            new = self.hash_several(head) if several else xx_hash_64(value.data, value.length, 0)
        hash[0] = rotl(hash[0]) ^ new if has_hash else new
        return True

    cdef uint64_t hash_several(self, Head *head) except? 0:
        """Repeated lines: sorted and chained, each hash the seed of the next; joined ones count as one line."""
        cdef Field *field
        cdef uint64_t hash = 0
        cdef int i
        cdef bint joined = False
        values = []
        for i in range(head.count):
            field = &head.fields[i]
            if field.name.data[:field.name.length] == self.header_name:
                values.append(field.value.data[:field.value.length])
                joined = JOINED >> field.id & 1
        if joined:
            values = [b",".join(filter(None, values))]
        for value in sorted(values):
            hash = xx_hash_64(value, len(value), hash)
        return hash


cdef bint pseudo_header(Slice *value, bytes name, Head *head, Slice path, Slice authority):
    if name == b":path":
        value[0] = path
    elif name == b":authority":
        value[0] = authority
    elif name == b":method":
        value[0] = head.method
    else:
        return False
    return True


cdef class Route:
    """One route of a virtual host."""

    def __init__(self, model, cluster):
        self.model = model
        self.name = model.name.encode()
        self.cluster = cluster
        self.case_sensitive = model.match.case_sensitive
        self.prefix = None if model.match.prefix is None else model.match.prefix.encode()
        self.path = None if model.match.path is None else model.match.path.encode()
        self.regex = None if model.match.regex is None else re.compile(model.match.regex.encode())
        self.hash_policies = tuple(HashPolicy(policy) for policy in model.hash_policies)
        self.timeout_ms = max(1, round(model.timeout_s * 1000)) if model.timeout_s else 0
        self.timeout_is_set = model.timeout_is_set
        self.allow_websocket = model.allow_websocket
        self.prefix_rewrite = model.prefix_rewrite.encode() or None
        self.host_rewrite = model.host_rewrite.encode() or None

    cdef bint matches(self, Slice path) except -1:
        """Whether the request's path, query included, matches."""
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

    cdef bint hash_request(self, Head *head, Slice path, Slice authority, uint64_t *hash) except -1:
        """Combine the route's hash policies in order; False when none of them found anything to hash."""
        cdef HashPolicy policy
        cdef bint has_hash = False
        for policy in self.hash_policies:
            has_hash = policy.add(head, path, authority, hash, has_hash)
            if has_hash and policy.terminal:
                break
        return has_hash

    cdef bytes rewritten_path(self, Slice path):
        """The path with what matched replaced by `prefix_rewrite`; the query stays."""
        cdef const char *query = <const char *> memchr(path.data, c"?", path.length)
        cdef size_t length = query - path.data if query != NULL else path.length
        if self.prefix is not None:
            length = len(self.prefix)
        return self.prefix_rewrite + path.data[length:path.length]


cdef class VirtualHost:
    def __init__(self, name, routes):
        self.name = name.encode()
        self.routes = tuple(routes)

    cdef Route find(self, Slice path):
        """The first route that matches; None when none does."""
        cdef Route route
        for route in self.routes:
            if route.matches(path):
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

    cdef Route find(self, Slice authority, Slice path):
        """The route for a request; None when no virtual host or no route of it matches."""
        cdef VirtualHost virtual_host = self.default
        if self.exact or self.suffixes or self.prefixes:
            virtual_host = self.named(authority.data[:authority.length].lower())
        return virtual_host.find(path) if virtual_host is not None else None

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
        """The route for a request, for whoever is not on the hot path."""
        cdef Slice a, p
        a.data = authority
        a.length = len(authority)
        p.data = path
        p.length = len(path)
        return self.find(a, p)
