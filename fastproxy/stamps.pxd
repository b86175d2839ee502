"""What the proxy stamps on messages: the date, request ids, its own address."""

from libc.stdint cimport int64_t, uint64_t

from fastproxy.slices cimport Slice


cdef class Stamps:
    cdef char date_text[32]
    cdef int64_t date_s
    cdef int64_t epoch_ms  # of the monotonic clock's zero
    cdef uint64_t checked_ms
    cdef unsigned char entropy[4096]
    cdef int entropy_left
    cdef char id_text[40]
    cdef uint64_t random_state
    cdef bytes local_ip

    cdef int64_t epoch_us(self, uint64_t now_ms) noexcept nogil
    cdef Slice date(self, uint64_t now_ms) noexcept nogil
    cdef uint64_t random(self) noexcept nogil
    cdef Slice request_id(self) noexcept nogil
