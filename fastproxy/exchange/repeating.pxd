"""A kept connection that its node closes while a request is on its way: the request goes out once more."""

from fastproxy.connections cimport Connection
from fastproxy.exchange.asking cimport Asking
from fastproxy.exchange.state cimport Exchange


cdef class Repeating(Asking):
    cdef bint is_repeated(self, Exchange x, Connection *u)
    cdef bint may_come_twice(self, Exchange x, Connection *u) noexcept
