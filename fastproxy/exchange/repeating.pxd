"""A kept connection that its node closes while a request is on its way: the request goes out once more."""

from fastproxy.connections cimport Connection
from fastproxy.exchange.found_sessions cimport FoundSessions
from fastproxy.exchange.state cimport Exchange


cdef class Repeating(FoundSessions):
    cdef bint is_repeated(self, Exchange x, Connection *u)
    cdef bint may_come_twice(self, Exchange x, Connection *u) noexcept
