"""What a worker remembers of session ids that nobody knew."""

from libc.stdint cimport uint64_t

cdef enum:
    SLOTS = 65536  # ids that are remembered; a power of two
    REMEMBERED_MS = 60000


cdef struct UnknownId:
    uint64_t key
    uint64_t until_ms


cdef class UnknownIds:
    cdef UnknownId *slots

    cpdef bint has(self, uint64_t key, uint64_t now_ms) noexcept
    cpdef void add(self, uint64_t key, uint64_t now_ms) noexcept
