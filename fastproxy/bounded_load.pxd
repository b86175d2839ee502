"""Hosts that have more than their share of the requests are passed over."""

cimport cython
from libc.stdint cimport uint32_t, uint64_t

from fastproxy.active_requests cimport ActiveRequests

cdef enum:
    TWISTER_WORDS = 624


cdef struct Twister:
    uint32_t words[TWISTER_WORDS]
    int next


cdef void twister_seed(Twister *twister, uint32_t seed) noexcept nogil
cdef uint32_t twister_draw(Twister *twister) noexcept nogil


@cython.final
cdef class BoundedLoad:
    cdef readonly Py_ssize_t size
    cdef ActiveRequests active
    cdef uint32_t factor
    cdef uint32_t *places
    cdef double *shares
    cdef uint32_t *shuffled
    cdef Twister twister

    cdef double load(self, Py_ssize_t index, uint64_t in_cluster) noexcept nogil
    cdef Py_ssize_t choose(self, uint64_t hash, Py_ssize_t first) noexcept nogil
    cdef Py_ssize_t another(self, uint64_t hash, Py_ssize_t first, uint64_t in_cluster) noexcept nogil
