"""Connections that stand go on under another configuration."""

from fastproxy.connections cimport Connection
from fastproxy.exchange.request cimport Request
from fastproxy.exchange.state cimport Exchange
from fastproxy.runtime cimport Manager, Runtime
from fastproxy.upstream cimport Host


cdef class Takeover(Request):
    cdef int make_room(self, Runtime runtime) except -1
    cdef int take_over(self, Runtime runtime) except -1
    cdef int follow_downstream(self, Connection *c) except -1
    cdef int follow_pending(self, Exchange x) except -1
    cdef int follow_upstream(self, Connection *u, dict successors) except -1
    cdef Host successor_of(self, Host host)
