"""How many connections, waiting requests, requests and retries a cluster may have, by priority."""

cimport cython
from libc.stdint cimport uint64_t

cdef enum:
    PRIORITIES = 2
    RESOURCES = 4

cdef enum Priority:
    PRIORITY_DEFAULT
    PRIORITY_HIGH

cdef enum Resource:
    CONNECTIONS
    PENDING_REQUESTS
    REQUESTS
    RETRIES


@cython.final
cdef class CircuitBreakers:
    cdef const uint64_t **rows
    cdef uint64_t *own
    cdef Py_ssize_t row_count
    cdef uint64_t limits[2][4]  # PRIORITIES, RESOURCES
    cdef uint64_t max_connections_per_host[2]
    cdef double budget_percent[2]  # < 0: there is none, and `limits` counts
    cdef object owners

    cdef bint admits(self, Resource resource, Priority priority) noexcept nogil
    cdef bint admits_connection(self, Py_ssize_t host_slot, Priority priority) noexcept nogil
    cdef bint may_retry(self, Priority priority) noexcept nogil
    cdef void retry_begins(self, Priority priority) noexcept nogil
    cdef void retry_ends(self, Priority priority) noexcept nogil
    cdef uint64_t count(self, Resource resource, Priority priority) noexcept nogil
    cdef uint64_t sum(self, Py_ssize_t slot) noexcept nogil
