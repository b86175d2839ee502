cimport cython
from libc.stdint cimport uint32_t, uint64_t


cdef struct Slot:
    uint64_t tag
    uint64_t value


cdef struct Sealed:  # an id under the key: what stands for it, and the two buckets where it may lie
    uint64_t tag
    uint32_t mix
    Slot *first
    Slot *second


cdef struct Place:  # a slot that a new entry may take over
    Slot *slot
    uint64_t seen  # its value when it was chosen
    int live  # live entries of its bucket; 0 when nobody is displaced


@cython.final
cdef class SessionTable:
    cdef Py_buffer view
    cdef bint has_view
    cdef Slot *slots
    cdef uint64_t buckets
    cdef uint64_t key[2]

    cdef Slot *bucket(self, uint32_t half) noexcept nogil
    cdef Place place_for(self, const Sealed *sealed, uint32_t now_s) noexcept nogil
    cdef Place move_one(self, Slot *bucket, uint32_t now_s) noexcept nogil
    cdef Sealed seal(self, const char *sid, size_t length) noexcept nogil
    cdef size_t live_in(self, size_t start, size_t end, uint32_t now_s) noexcept nogil

    # What the caller passes as now_s must be one clock for all processes, such as CLOCK_MONOTONIC in whole seconds.
    cdef bint find(
        self, const Sealed *sealed, uint32_t now_s, uint32_t ttl_refresh_s, uint32_t *host_hash
    ) noexcept nogil
    cdef int learn(self, const Sealed *sealed, uint32_t host_hash, uint32_t now_s, uint32_t ttl_s) noexcept nogil
    cdef bint forget(self, const Sealed *sealed) noexcept nogil
