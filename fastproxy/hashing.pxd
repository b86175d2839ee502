"""The hash by which a cluster's balancer chooses a host for a request."""

from libc.stdint cimport uint64_t

from fastproxy.http1 cimport Head
from fastproxy.request_facts cimport RequestFacts


cdef class HashPolicy:
    cdef readonly bytes header_name
    cdef readonly bint terminal

    cdef bint add(self, const RequestFacts *facts, uint64_t *hash, bint has_hash) except -1
    cdef uint64_t hash_several(self, Head *head) except? 0


cdef class HashPolicies:
    cdef readonly tuple policies

    cdef bint hash(self, const RequestFacts *facts, uint64_t *hash, list cookies) except -1
