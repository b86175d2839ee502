"""Which host of a cluster takes a request: Envoy's load balancing policies."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.active_requests cimport ActiveRequests
from fastproxy.edf cimport Edf


cdef class Balancer:
    cdef readonly Py_ssize_t size
    cdef uint32_t *members
    cdef double *weights  # of the members
    cdef uint64_t random_state

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept
    cdef Py_ssize_t choose_again(self, uint64_t hash, bint has_hash, uint32_t attempt) noexcept
    cdef Balancer next_group(self)
    cdef Py_ssize_t choose_other(self, uint64_t hash, bint has_hash, Py_ssize_t first, set tried)
    cdef Py_ssize_t position_of(self, Py_ssize_t place) noexcept nogil
    cdef uint64_t random(self) noexcept nogil
    cdef void count_panics(self, uint64_t *counter) noexcept


cdef class RoundRobin(Balancer):
    cdef Py_ssize_t turn
    cdef Edf edf


cdef class Random(Balancer):
    pass


cdef class LeastRequest(Balancer):
    cdef ActiveRequests active
    cdef uint32_t choice_count
    cdef double bias
    cdef bint full_scan
    cdef Edf edf

    cdef double weight(self, Py_ssize_t index) noexcept nogil
    cdef Py_ssize_t best_of_some(self) noexcept nogil
    cdef Py_ssize_t best_of_all(self) noexcept nogil
