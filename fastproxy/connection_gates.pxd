"""How many connections a filter chain takes at once."""

cimport cython
from libc.stdint cimport uint64_t


@cython.final
cdef class ConnectionGate:
    cdef readonly object model  # model.ConnectionLimit
    cdef object owners  # of the words
    cdef uint64_t **rows
    cdef Py_ssize_t row_count
    cdef Py_ssize_t slot
    cdef uint64_t *counters  # those of this worker
    cdef uint64_t most
    cdef uint64_t delay_ms

    cdef bint enter(self) noexcept nogil
    cdef void join(self) noexcept nogil
    cdef void leave(self) noexcept nogil
