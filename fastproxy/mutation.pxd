"""What the connection manager changes in a request's head before it is routed, hashed and logged."""

from libc.stdint cimport uint64_t

from fastproxy.addresses cimport PeerAddress
from fastproxy.http1 cimport Head
from fastproxy.runtime cimport Manager
from fastproxy.slices cimport Slice
from fastproxy.stamps cimport Stamps


cdef class Mutation:
    cdef Stamps stamps
    cdef char *text  # the values it writes, valid until the next request
    cdef size_t size
    cdef size_t used
    cdef char client_ip[48]

    cdef bint apply(self, Head *head, Manager manager, PeerAddress *client) noexcept
    cdef bint forward_for(self, Head *head, Slice client_ip) noexcept nogil
