"""Limits of routes and connection managers on what clients ask for."""

from fastproxy.affinity cimport EngineIo
from fastproxy.exchange.choice cimport Choice
from fastproxy.exchange.state cimport Exchange
from fastproxy.local_rate_limits cimport LocalRateLimit
from fastproxy.request_facts cimport RequestFacts


cdef class Limiting(Choice):
    cdef bint is_limited(self, Exchange x, RequestFacts *facts)
    cdef bint is_out_of_rate(self, Exchange x, LocalRateLimit limit, RequestFacts *facts)
    cdef bytes destined(self, Exchange x, const RequestFacts *facts)
    cdef bint is_newcomer_limited(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io)
    cdef bint is_handshake_limited(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io)
    cdef bint is_tunnel_limited(self, Exchange x, const RequestFacts *facts)
    cdef bint is_body_too_large(self, Exchange x)
    cdef int refuse_body(self, Exchange x) except -1
