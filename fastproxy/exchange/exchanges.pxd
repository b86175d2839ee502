"""All exchanges of a worker, as the engine sees them."""

from libc.stdint cimport uint32_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.takeover cimport Takeover
from fastproxy.exchange.state cimport Exchange
from fastproxy.runtime cimport Manager
from fastproxy.tunnel cimport Tunnel, TunnelState


cdef class Exchanges(Takeover):
    cdef void tunnel_event(self, Connection *connection, uint32_t events)
    cdef void tunnel_over(self, Tunnel *tunnel, TunnelState state)
    cdef void resume(self, Connection *connection)
    cdef void timer(self, Connection *connection)
    cdef void upstream_timer(self, Connection *u)
    cdef void downstream_timer(self, Connection *c)
    cdef void late_exchange(self, Connection *c, Exchange x)
    cdef void idle_too_long(self, Connection *c, Manager manager)
    cdef void late_head(self, Connection *c, Manager manager)
    cdef void drain(self)
    cdef size_t expected(self) noexcept
    cdef void close_all(self)
    cdef void discard(self, Connection *connection)
