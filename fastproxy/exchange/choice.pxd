"""What is decided about a request before it is sent: may it pass, where does it go, what is the upstream told."""

from fastproxy.affinity cimport EngineIo
from fastproxy.exchange.rewriting cimport Rewriting
from fastproxy.exchange.state cimport Exchange
from fastproxy.heads cimport RequestHead
from fastproxy.bodies cimport Framing
from fastproxy.request_facts cimport RequestFacts
from fastproxy.mutation cimport Mutation
from fastproxy.upstream cimport Cluster


cdef class Choice(Rewriting):
    cdef Mutation mutation

    cdef bint check_request(self, Exchange x, RequestHead *plan)
    cdef int keep_request_id(self, Exchange x) except -1
    cdef bint check_upgrade(self, Exchange x)
    cdef bint is_origin_admitted(self, Exchange x, const EngineIo *engine_io)
    cdef Framing request_framing(self, Exchange x)
    cdef bint expects_continue(self)
    cdef int say_continue(self, Exchange x) except -1
    cdef bint pick(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io)
    cdef Py_ssize_t first_choice(self, Exchange x, Cluster cluster) noexcept
    cdef int plan_request(self, Exchange x, RequestHead *plan) except -1
