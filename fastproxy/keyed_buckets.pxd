"""Token buckets by key, so many in memory that all processes share."""

cimport cython
from libc.stdint cimport uint64_t

cdef struct KeyedRate:
    uint64_t period_ticks  # in which one token comes
    uint64_t full_ticks  # in which an empty bucket fills


cdef enum:
    TICKS_PER_MS = 16


cdef KeyedRate keyed_rate(double per_second, uint64_t burst) noexcept


@cython.final
cdef class KeyedBuckets:
    cdef object owner
    cdef uint64_t *words
    cdef uint64_t sets
    cdef uint64_t key[2]

    cdef uint64_t take(
        self, const char *key, size_t length, const KeyedRate *rate, uint64_t now_ms, bint *is_crowded
    ) noexcept nogil
    cdef uint64_t take_many(
        self, const char *key, size_t length, const KeyedRate *rate, uint64_t tokens, uint64_t now_ms, bint *is_crowded
    ) noexcept nogil
    cdef void put_back(
        self, const char *key, size_t length, const KeyedRate *rate, uint64_t tokens, uint64_t now_ms
    ) noexcept nogil
    cdef uint64_t missing_ticks(self, const char *key, size_t length, uint64_t now_ms) noexcept nogil
