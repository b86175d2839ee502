"""Balancers put together: by priority and health, and by locality."""

from libc.stdint cimport uint64_t

from fastproxy.balancing cimport Balancer
from fastproxy.edf cimport Edf


cdef struct Part:
    int limit  # of a draw from 1 to 100
    bint in_panic
    Py_ssize_t child


cdef class Composite(Balancer):
    cdef readonly tuple children

    cdef Py_ssize_t first_in(self, tuple children, uint64_t hash, bint has_hash, Py_ssize_t first, set tried)


cdef class Priorities(Composite):
    cdef readonly tuple shares
    cdef readonly tuple available  # (of healthy hosts, of degraded ones), per cent by priority; None: no other shares
    cdef readonly tuple in_panic  # by priority
    cdef bint hashes
    cdef Part *parts
    cdef Py_ssize_t part_count
    cdef uint64_t *panic_counter
    cdef uint64_t unread_panics

    cdef Balancer group_by(self, tuple loads)
    cdef Part *part_of(self, uint64_t draw) noexcept nogil


cdef class Localities(Composite):
    cdef readonly tuple localities
    cdef double *locality_weights
    cdef Edf edf

    cdef Balancer next_child(self)
