"""Where a new session begins: on the host with the fewest live ones."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy._sessions cimport SessionTable
from fastproxy.balancing cimport Balancer


cdef class SessionPlacement:
    cdef const uint64_t **rows
    cdef Py_ssize_t row_count
    cdef Py_ssize_t *host_slots
    cdef uint32_t *digests
    cdef object owners

    cdef Py_ssize_t choose(self, Balancer balancer, SessionTable table) noexcept
    cdef Py_ssize_t fewest(self, Balancer group, SessionTable table) noexcept nogil
    cdef uint64_t live_at(self, Py_ssize_t place, SessionTable table) noexcept nogil
