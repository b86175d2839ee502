"""Earliest deadline first: the order in which weighted things take their turns."""

cimport cython
from libc.stdint cimport uint32_t, uint64_t


cdef struct Turn:
    double deadline
    uint64_t order
    uint32_t index


@cython.final
cdef class Edf:
    cdef readonly Py_ssize_t size
    cdef Turn *turns
    cdef uint64_t added

    cdef Py_ssize_t next(self) noexcept nogil
    cdef void put_back(self, double weight) noexcept nogil
    cdef void sink(self, Py_ssize_t hole) noexcept nogil
