"""Heads of answers as they come: whole or in pieces, and what httptools says of them."""

from fastproxy.bodies cimport Framing
from fastproxy.connections cimport Connection
from fastproxy.exchange.retrying cimport Retrying
from fastproxy.exchange.state cimport Exchange
from fastproxy.head_guard cimport HeadGuard


cdef class AnswerHeads(Retrying):
    cdef HeadGuard guard

    cdef bint keep_partial_response(self, Exchange x, Connection *u, char *data, size_t length)
    cdef bint partial_response_grew(self, Exchange x, Connection *u)
    cdef bint admit_response(self, Exchange x, char *data, size_t head_end, size_t message_end)
    cdef Framing response_framing(self, Exchange x)
