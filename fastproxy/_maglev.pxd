"""The Maglev table."""

cimport cython
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef struct Walk:
    uint64_t next  # the slot to look at: offset, offset + skip, ... in the table's size
    uint64_t skip
    double share
    double target


@cython.final
cdef class MaglevTable:
    cdef readonly Py_ssize_t size
    cdef readonly int slot_bytes
    cdef uint8_t *slots

    cdef void set(self, size_t slot, uint32_t host) noexcept nogil
    cdef uint32_t host_at(self, size_t slot) noexcept nogil
    cdef size_t slot_of(self, uint64_t request_hash, uint64_t attempt) noexcept nogil
    cdef void fill(
        self, Walk *walks, const uint32_t *hosts, size_t count, double greatest, uint64_t *taken) noexcept nogil
