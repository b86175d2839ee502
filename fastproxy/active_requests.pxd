"""How many requests are under way at each host of a cluster."""

cimport cython
from libc.stdint cimport uint64_t


@cython.final
cdef class ActiveRequests:
    cdef const uint64_t **rows
    cdef Py_ssize_t row_count
    cdef Py_ssize_t cluster_slot
    cdef Py_ssize_t *host_slots
    cdef readonly Py_ssize_t size
    cdef object owners

    cdef uint64_t at_host(self, Py_ssize_t place) noexcept nogil
    cdef uint64_t in_cluster(self) noexcept nogil
    cdef uint64_t sum(self, Py_ssize_t slot) noexcept nogil
