"""Accepting: who is taken out of a listener's queue, who is turned away, and when a listener rests."""

from fastproxy.connections cimport Connection, Connections
from fastproxy.exchange.exchanges cimport Exchanges
from fastproxy.overload cimport Overload
from fastproxy.runtime cimport Listener


cdef class Accepting:
    cdef Connections io
    cdef Exchanges exchanges_
    cdef readonly Overload overload
    cdef readonly size_t pauses  # of listeners for want of descriptors

    cdef bint accepts(self, Connection *listener)
    cdef bint accept(self, Connection *listener)
    cdef bint is_turned_away(self, Listener listener) noexcept
    cdef int serve(self, Connection *connection, Listener listener) except -1
    cdef int pause_accepting(self, Connection *listener) except -1
    cdef int rest(self, Connection *listener) except -1
    cdef int resume_accepting(self, Connection *listener) except -1
