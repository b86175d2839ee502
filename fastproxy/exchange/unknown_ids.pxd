"""What a worker remembers of session ids that nobody knew, and for how many more it may ask."""

from libc.stdint cimport uint64_t

cdef enum:
    SLOTS = 65536  # ids that are remembered; a power of two
    REMEMBERED_MS = 60000
    ASKS_AT_ONCE = 1000  # ids that nobody knows may be asked for at once, in each worker
    ASKS_PER_S = 100  # and from then on


cdef struct UnknownId:
    uint64_t key
    uint64_t until_ms


cdef class UnknownIds:
    cdef UnknownId *slots
    cdef double allowance
    cdef uint64_t refilled_ms

    cpdef bint has(self, uint64_t key, uint64_t now_ms) noexcept
    cpdef void add(self, uint64_t key, uint64_t now_ms) noexcept
    cpdef bint may_ask(self, uint64_t now_ms) noexcept
    cpdef void charge(self) noexcept
    cpdef void give_back(self) noexcept
