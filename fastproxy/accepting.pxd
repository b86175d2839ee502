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
    cdef void serve(self, Connection *connection, Listener listener)
    cdef void pause_accepting(self, Connection *listener)
    cdef void rest(self, Connection *listener)
    cdef void resume_accepting(self, Connection *listener)
