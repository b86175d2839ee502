"""The downstream's half of an exchange: heads and bodies."""

from libc.stdint cimport uint32_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.request_heads cimport RequestHeads
from fastproxy.exchange.state cimport Exchange
from fastproxy.runtime cimport Manager
from fastproxy.syscalls cimport iovec


cdef class Request(RequestHeads):
    cdef int downstream_event(self, Connection *c, uint32_t events) except -1
    cdef bint downstream_writable(self, Connection *c)
    cdef int read_downstream(self, Connection *c) except -1
    cdef int received(self, Connection *c, char *data, size_t length) except -1
    cdef int consume_held(self, Connection *c) except -1
    cdef int consume(self, Connection *c, char *data, size_t length) except -1
    cdef ssize_t take_request(self, Connection *c, char *data, size_t length)
    cdef ssize_t start(self, Exchange x, char *body, size_t length)
    cdef ssize_t after_reply(self, Connection *c, ssize_t used)
    cdef ssize_t take_request_body(self, Exchange x, char *data, size_t length, iovec *head)
