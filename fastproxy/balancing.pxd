"""Which host of a cluster takes a request: Envoy's load balancing policies."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from fastproxy._ring cimport Ring


cdef class Balancer:
    cdef readonly Py_ssize_t size
    cdef uint64_t random_state

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept
    cdef Py_ssize_t choose_other(self, uint64_t hash, bint has_hash, Py_ssize_t first, set tried)
    cdef uint64_t random(self) noexcept nogil


cdef class RoundRobin(Balancer):
    cdef int64_t *credits
    cdef uint32_t *weights
    cdef int64_t total


cdef class Random(Balancer):
    pass


cdef class LeastRequest(Balancer):
    cdef uint64_t **active


cdef class RingHash(Balancer):
    cdef readonly Ring ring
