from libc.stdint cimport uint32_t, uint64_t

from fastproxy._session_buckets cimport Place, Sealed, Slot
from fastproxy._session_hosts cimport HostLine, SessionHosts


cdef class SessionSlots:
    cdef Py_buffer view
    cdef bint has_view
    cdef SessionHosts hosts
    cdef const HostLine *lines
    cdef Slot *slots
    cdef uint64_t buckets
    cdef uint64_t key[2]

    cdef Slot *bucket(self, uint32_t half) noexcept nogil
    cdef Place place_for(self, const Sealed *sealed, uint32_t now_s) noexcept nogil
    cdef Place move_one(self, Slot *bucket, uint32_t now_s) noexcept nogil

    # What the caller passes as now_s must be one clock for all processes, such as CLOCK_MONOTONIC in whole seconds.
    cdef Sealed seal(self, const char *sid, size_t length) noexcept nogil
    cdef bint find(self, const Sealed *sealed, uint32_t now_s, uint32_t *digest) noexcept nogil
    cdef int learn(self, const Sealed *sealed, uint32_t digest, uint32_t now_s, uint32_t lifetime_s) noexcept nogil
    cdef bint forget(self, const Sealed *sealed) noexcept nogil
    cdef bint hand_over(self, const Sealed *sealed) noexcept nogil
    cdef uint64_t live_at(self, uint32_t digest) noexcept nogil
    cdef const uint64_t *live_counter(self, uint32_t digest) noexcept nogil
