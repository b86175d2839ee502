"""Heads of requests as they come: whole or in pieces, and what httptools says of them."""

from fastproxy.connections cimport Connection
from fastproxy.exchange.mirroring cimport Mirroring
from fastproxy.exchange.state cimport Exchange
from fastproxy.runtime cimport Manager

cdef enum:
    NOT_COMPLETE = 0  # instead of a number of bytes used: they are held
    GONE = -1  # likewise: the connection is, or takes nothing more


cdef class RequestHeads(Mirroring):
    cdef Exchange begin(self, Connection *c, Manager manager)
    cdef bint is_dispatch_shed(self, Connection *c)
    cdef bint admit_request(self, Connection *c, char *data, size_t head_end, size_t length)
    cdef ssize_t begin_partial_head(self, Connection *c, char *data, size_t length)
    cdef bint partial_head_grew(self, Connection *c)
