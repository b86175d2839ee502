"""The hash by which a cluster's balancer chooses a host for a request."""

from libc.stdint cimport uint64_t

from fastproxy.request_facts cimport RequestFacts


cdef class HashPolicies:
    cdef readonly tuple policies
    cdef readonly bint makes_cookies

    cdef bint hash(self, const RequestFacts *facts, uint64_t *hash, list cookies) except -1
    cdef list trace(self, const RequestFacts *facts)
