"""The upstream's half of an exchange: its answer, relayed as it comes."""

from libc.stdint cimport uint32_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.answer_heads cimport AnswerHeads
from fastproxy.exchange.state cimport Exchange
from fastproxy.bodies cimport Framing
from fastproxy.syscalls cimport iovec


cdef class Response(AnswerHeads):
    cdef void upstream_event(self, Connection *u, uint32_t events)
    cdef void upstream_writable(self, Exchange x, Connection *u)
    cdef void read_upstream(self, Connection *u)
    cdef bint judge_at_end(self, Exchange x, Connection *u)
    cdef void upstream_ended(self, Exchange x, Connection *u)
    cdef void answered(self, Exchange x, Connection *u, char *data, size_t length)
    cdef void take_response(self, Exchange x, Connection *u, char *data, size_t length)
    cdef bint pass_interim(self, Exchange x)
    cdef void start_response(self, Exchange x, Connection *u, char *data, size_t head_end, size_t length)
    cdef void plan_response(self, Exchange x, Connection *u, Framing framing)
    cdef void send_response_head(self, Exchange x, Connection *u, char *body, size_t length)
    cdef void relay_response(self, Exchange x, char *data, size_t length, iovec *head)
    cdef void broken_body(self, Exchange x, iovec *head)
    cdef void finish(self, Exchange x, bint surplus)
