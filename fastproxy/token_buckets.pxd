"""Token buckets of one word each, in memory that all processes share."""

from libc.stdint cimport uint64_t

cdef struct BucketRate:
    uint64_t period_ns  # in which one token comes
    uint64_t full_ns  # in which an empty bucket fills


cdef BucketRate bucket_rate(object model) except *
cdef uint64_t bucket_take(uint64_t *word, const BucketRate *rate, uint64_t now_ns) noexcept nogil
cdef uint64_t bucket_take_many(uint64_t *word, const BucketRate *rate, uint64_t tokens, uint64_t now_ns) noexcept nogil
cdef void bucket_give(uint64_t *word, const BucketRate *rate, uint64_t tokens, uint64_t now_ns) noexcept nogil
cdef uint64_t bucket_left(const uint64_t *word, const BucketRate *rate, uint64_t now_ns) noexcept nogil
