"""Where a request goes, and what its route changes in it on the way."""

from fastproxy.exchange.answers cimport Answers
from fastproxy.exchange.state cimport Exchange
from fastproxy.heads cimport RequestHead
from fastproxy.request_facts cimport RequestFacts
from fastproxy.routing cimport Destination


cdef class Rewriting(Answers):
    cdef bint direct(self, Exchange x, RequestFacts *facts, RequestHead *plan)
    cdef int set_filter_state(self, Exchange x, RequestFacts *facts) except -1
    cdef bint apply_rules(self, Exchange x, Destination destination, RequestFacts *facts)
    cdef int rewrite_host(self, Exchange x, bytes host, RequestFacts *facts, RequestHead *plan) except -1
    cdef bytes forwarded_host(self, const RequestFacts *facts)
    cdef int take_name_of_host(self, Exchange x, RequestFacts *facts, RequestHead *plan) except -1
