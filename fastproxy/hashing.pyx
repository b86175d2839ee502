"""The hash by which a cluster's balancer chooses a host for a request (Envoy: RouteAction.HashPolicy)."""

from libc.string cimport memcmp

from fastproxy._ring cimport xx_hash_64
from fastproxy.http1 cimport (
    H_ACCEPT, H_ACCEPT_ENCODING, H_AUTHORIZATION, H_CACHE_CONTROL, H_CONTENT_TYPE, H_ORIGIN, H_REFERER, H_USER_AGENT,
    H_VIA, H_X_CLIENT_TRACE_ID, H_X_FORWARDED_FOR, H_X_FORWARDED_PROTO, H_X_REQUEST_ID, Head,
)
from fastproxy.slices cimport Field, Slice

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

    cdef bint add(self, const RequestFacts *facts, uint64_t *hash, bint has_hash) except -1:
        """Combine this policy's hash into `hash`; whether there is a hash now."""
        cdef Head *head = facts.head
        cdef uint64_t new
        cdef const char *name = self.header_name
        cdef size_t length = len(self.header_name)
        cdef Slice value
        cdef int i, found = -1
        cdef bint several = False
        if name[0] == c":":
            if not pseudo_header(&value, self.header_name, facts):
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


cdef bint pseudo_header(Slice *value, bytes name, const RequestFacts *facts):
    if name == b":path":
        value[0] = facts.path
    elif name == b":authority":
        value[0] = facts.authority
    elif name == b":method":
        value[0] = facts.head.method
    else:
        return False
    return True


cdef class HashPolicies:
    """The hash policies of one route, in their order."""

    def __init__(self, models):
        self.policies = tuple(HashPolicy(model) for model in models)

    cdef bint hash(self, const RequestFacts *facts, uint64_t *hash, list cookies) except -1:
        """Combine the policies into `hash`; False when none of them found anything to hash.

        A policy that makes a cookie appends its Set-Cookie value to `cookies`.
        """
        cdef HashPolicy policy
        cdef bint has_hash = False
        for policy in self.policies:
            has_hash = policy.add(facts, hash, has_hash)
            if has_hash and policy.terminal:
                break
        return has_hash
