cimport cython
from libc.stdint cimport uint32_t

from fastproxy._session_buckets cimport Sealed
from fastproxy._session_slots cimport SessionSlots


@cython.final
cdef class SessionTable(SessionSlots):
    cdef size_t page_end(self, size_t start, size_t end) noexcept nogil
    cdef size_t sweep_present(self, size_t start, size_t end, uint32_t now_s) noexcept nogil
    cdef size_t live_in(self, size_t start, size_t end, uint32_t now_s) noexcept nogil
    cpdef size_t sweep(self, size_t start, size_t count, uint32_t now_s) noexcept
    cpdef size_t sweep_share(self, uint32_t now_s) noexcept
