"""The upstream's half of an exchange: its answer, relayed as it comes."""

from libc.stdint cimport uint32_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.answer_heads cimport AnswerHeads
from fastproxy.exchange.state cimport Exchange
from fastproxy.bodies cimport Framing
from fastproxy.syscalls cimport iovec


cdef class Response(AnswerHeads):
    cdef int upstream_event(self, Connection *u, uint32_t events) except -1
    cdef int upstream_writable(self, Exchange x, Connection *u) except -1
    cdef int read_upstream(self, Connection *u) except -1
    cdef bint judge_at_end(self, Exchange x, Connection *u)
    cdef int upstream_ended(self, Exchange x, Connection *u) except -1
    cdef int answered(self, Exchange x, Connection *u, char *data, size_t length) except -1
    cdef int take_response(self, Exchange x, Connection *u, char *data, size_t length) except -1
    cdef bint pass_interim(self, Exchange x)
    cdef int start_response(self, Exchange x, Connection *u, char *data, size_t head_end, size_t length) except -1
    cdef int plan_response(self, Exchange x, Connection *u, Framing framing) except -1
    cdef int send_response_head(self, Exchange x, Connection *u, char *body, size_t length) except -1
    cdef int relay_response(self, Exchange x, char *data, size_t length, iovec *head) except -1
    cdef int broken_body(self, Exchange x, iovec *head) except -1
    cdef int finish(self, Exchange x, bint surplus) except -1
