"""The policies that send equal hashes to the same host."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy._maglev cimport MaglevTable
from fastproxy._ring cimport Ring
from fastproxy.balancing cimport Balancer
from fastproxy.bounded_load cimport BoundedLoad


cdef class HashBalancer(Balancer):
    cdef readonly BoundedLoad bound

    cdef Py_ssize_t look_up(self, uint64_t hash, uint32_t attempt) noexcept nogil


cdef class RingHash(HashBalancer):
    cdef readonly Ring ring


cdef class Maglev(HashBalancer):
    cdef readonly MaglevTable table
