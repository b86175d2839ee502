"""Which filter chain of a listener takes a connection, in Envoy's order of conditions."""

from libc.stdint cimport uint8_t, uint16_t

from fastproxy.addresses cimport PeerAddress

cdef enum:
    RANGE_LISTS = 3  # destination, direct source, source


# Addresses that begin with the same `length` bits. IPv4 lies in the first four bytes.
cdef struct Range:
    uint8_t ip[16]
    uint8_t family
    uint8_t length


cdef struct Conditions:
    uint16_t destination_port  # 0: any
    uint8_t source_type
    int range_counts[3]  # RANGE_LISTS; 0: any address
    int port_count  # of source ports, 0: any
    const Range *ranges[3]
    const uint16_t *source_ports


cdef class FilterChains:
    cdef Conditions *conditions
    cdef bint *left  # chains that no condition has excluded yet
    cdef readonly Py_ssize_t size
    cdef list kept  # the memory that `conditions` points to

    cdef int add(self, Conditions *conditions, object match) except -1
    cdef Py_ssize_t find(self, const PeerAddress *local, const PeerAddress *remote) noexcept nogil
    cdef bint by_destination_port(self, uint16_t port) noexcept nogil
    cdef bint by_range(self, int which, const PeerAddress *address) noexcept nogil
    cdef bint by_source_type(self, const PeerAddress *local, const PeerAddress *remote) noexcept nogil
    cdef Py_ssize_t by_source_port(self, uint16_t port) noexcept nogil


cdef int match_length(const Range *ranges, int count, const PeerAddress *address) noexcept nogil
cdef Range range_of(str text) except *
cdef bytes pack_ranges(object texts)
cdef PeerAddress address_of(object pair) except *
