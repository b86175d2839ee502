"""What is given up, and refused, when there is too much to do."""

from fastproxy.circuit_breakers cimport Priority
from fastproxy.connections cimport Connection
from fastproxy.exchange.ending cimport Ending
from fastproxy.exchange.state cimport Exchange
from fastproxy.upstream cimport Host


cdef class Shedding(Ending):
    cdef size_t shed_next  # where `shed` goes on: a place among all structs
    cdef readonly size_t idle_closed  # connections that were closed for their descriptors
    cdef bint lacks_descriptor  # was why `connect` could not begin

    cdef int shed(self, int wanted)
    cdef bint is_dispensable(self, Connection *c) noexcept
    cdef bint is_slow_head(self, Connection *c) noexcept
    cdef Connection *connect(self, Host host, Priority priority)
    cdef int answer_without_descriptor(self, Exchange x) except -1
    cdef bint is_request_shed(self, Exchange x)
    cdef bint is_forwarding_shed(self, Exchange x)
    cdef bint is_session_refused(self, Exchange x)
