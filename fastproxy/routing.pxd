"""Which route a request takes, and the hash by which its cluster chooses a host."""

from libc.stdint cimport uint64_t

from fastproxy.http1 cimport Head
from fastproxy.slices cimport Slice
from fastproxy.upstream cimport Cluster


cdef class HashPolicy:
    cdef readonly bytes header_name
    cdef readonly bint terminal

    cdef bint add(self, Head *head, Slice path, Slice authority, uint64_t *hash, bint has_hash) except -1
    cdef uint64_t hash_several(self, Head *head) except? 0


cdef class Route:
    cdef readonly object model  # model.Route
    cdef readonly bytes name
    cdef Cluster cluster
    cdef bytes prefix
    cdef bytes path
    cdef object regex
    cdef bint case_sensitive
    cdef tuple hash_policies
    cdef uint64_t timeout_ms
    cdef bint timeout_is_set
    cdef bint allow_websocket
    cdef bytes prefix_rewrite
    cdef bytes host_rewrite

    cdef bint matches(self, Slice path) except -1
    cdef bint same(self, const char *text, bytes other, size_t length)
    cdef bint hash_request(self, Head *head, Slice path, Slice authority, uint64_t *hash) except -1
    cdef bytes rewritten_path(self, Slice path)


cdef class VirtualHost:
    cdef readonly bytes name
    cdef tuple routes

    cdef Route find(self, Slice path)


cdef class RouteTable:
    cdef VirtualHost default
    cdef dict exact
    cdef list suffixes
    cdef list prefixes

    cdef Route find(self, Slice authority, Slice path)
