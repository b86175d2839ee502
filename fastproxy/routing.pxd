"""Which route a request takes."""

from libc.stdint cimport uint64_t

from fastproxy.hashing cimport HashPolicies
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice
from fastproxy.upstream cimport Cluster


cdef class Route:
    cdef readonly object model  # model.Route
    cdef readonly bytes name
    cdef Cluster cluster
    cdef bytes prefix
    cdef bytes path
    cdef object regex
    cdef bint case_sensitive
    cdef HashPolicies hashing
    cdef uint64_t timeout_ms
    cdef bint timeout_is_set
    cdef bint allow_websocket
    cdef bytes prefix_rewrite
    cdef bytes host_rewrite

    cdef bint matches(self, const RequestFacts *facts) except -1
    cdef bint same(self, const char *text, bytes other, size_t length)
    cdef bytes rewritten_path(self, Slice path)


cdef class VirtualHost:
    cdef readonly bytes name
    cdef tuple routes

    cdef Route find(self, const RequestFacts *facts)


cdef class RouteTable:
    cdef VirtualHost default
    cdef dict exact
    cdef list suffixes
    cdef list prefixes

    cdef Route find(self, const RequestFacts *facts)
