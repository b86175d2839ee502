"""The entries of a ring in the order of their hashes."""

from libc.stdint cimport uint32_t, uint64_t


cdef struct RingEntry:
    uint64_t hash
    uint32_t host


cdef void sort_by_buckets(RingEntry *entries, size_t count) noexcept nogil
cdef void sort_like_envoy(RingEntry *entries, size_t count) noexcept nogil
