"""Which virtual host an authority belongs to."""

from libc.stdint cimport uint64_t

from fastproxy.slices cimport Slice


cdef struct Domain:
    const char *text  # lower case; NULL: a free place
    size_t length
    int owner


cdef class DomainSet:
    cdef Domain *places
    cdef size_t mask
    cdef list texts  # keeps what the places point to
    cdef size_t *lengths  # those that occur, the longest first
    cdef Py_ssize_t length_count

    cdef int find(self, const char *text, size_t length) noexcept nogil
    cdef int find_prefix(self, Slice authority) noexcept nogil
    cdef int find_suffix(self, Slice authority) noexcept nogil


cdef class Domains:
    cdef readonly tuple patterns  # of all virtual hosts, by the numbers that find() returns
    cdef readonly tuple owners
    cdef DomainSet exact
    cdef DomainSet suffixes
    cdef DomainSet prefixes
    cdef int default

    cdef int find(self, Slice authority) noexcept nogil


cdef Slice without_port(Slice authority) noexcept nogil
