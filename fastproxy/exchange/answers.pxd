"""What is answered without an upstream: redirects, direct responses, and the preflights of CORS."""

from fastproxy.cors cimport CorsPolicy
from fastproxy.exchange.response cimport Response
from fastproxy.exchange.state cimport Exchange
from fastproxy.heads cimport RequestHead
from fastproxy.request_facts cimport RequestFacts


cdef class Answers(Response):
    cdef bint is_normalized(self, Exchange x, RequestHead *plan)
    cdef bint is_answered(self, Exchange x, const RequestFacts *facts)
    cdef bint is_preflight_answered(self, Exchange x, CorsPolicy policy, const RequestFacts *facts)
    cdef int take_rules(self, Exchange x, tuple rules, const RequestFacts *facts) except -1
