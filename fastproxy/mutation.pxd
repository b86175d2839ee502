"""What the connection manager changes in a request's head before it is routed, hashed and logged."""

from libc.stdint cimport int64_t

from fastproxy.addresses cimport PeerAddress
from fastproxy.header_rules cimport Room
from fastproxy.heads cimport Writer
from fastproxy.http1 cimport Head, HeaderId
from fastproxy.runtime cimport Manager
from fastproxy.slices cimport Slice
from fastproxy.stamps cimport Stamps


cdef class Mutation:
    cdef Stamps stamps
    cdef Room room  # for the values of this request's headers, then for those of its response; until the next one
    cdef int64_t timeout_ms  # that an internal request asks for; -1: none
    cdef dict retry_fields  # by which an internal request asks to be sent again; None: none
    cdef char peer_ip[48]
    cdef char client_ip[48]
    cdef char port[8]
    cdef const char *lowered  # the request's head, whose names were put into lower case,
    cdef char *spelled  # and a copy of it from before; NULL until one is wanted

    cdef bint apply(
        self, Head *head, Manager manager, const PeerAddress *peer, PeerAddress *client, int fd
    ) noexcept
    cdef bint say_who_asks(self, Head *head, Manager manager, const PeerAddress *peer) noexcept
    cdef bint say_more(self, Head *head, Manager manager, int fd) noexcept
    cdef void keep_spelling(self, const char *data, size_t length) noexcept nogil
    cdef void write_spelling(self, Writer *writer, const Head *head) noexcept nogil
    cdef bint join(self, Head *head, HeaderId id, const char *name, Slice last, Slice comma) noexcept nogil


cdef bint has_names_allowed(Head *head, Manager manager) noexcept nogil
