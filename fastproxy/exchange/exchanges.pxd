"""All exchanges of a worker, as the engine sees them."""

from libc.stdint cimport uint32_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.reduced_timeouts cimport ReducedTimeouts
from fastproxy.exchange.state cimport Exchange
from fastproxy.runtime cimport Manager
from fastproxy.tunnel cimport Tunnel, TunnelState


cdef class Exchanges(ReducedTimeouts):
    cdef int tunnel_event(self, Connection *connection, uint32_t events) except -1
    cdef TunnelState carry_shown(self, Connection *u, uint32_t events) except *
    cdef int tunnel_over(self, Tunnel *tunnel, TunnelState state) except -1
    cdef int resume(self, Connection *connection) except -1
    cdef int timer(self, Connection *connection) except -1
    cdef int upstream_timer(self, Connection *u) except -1
    cdef int downstream_timer(self, Connection *c) except -1
    cdef int late_exchange(self, Connection *c, Exchange x) except -1
    cdef int idle_too_long(self, Connection *c, Manager manager) except -1
    cdef int late_head(self, Connection *c, Manager manager) except -1
    cdef int drain(self) except -1
    cdef size_t expected(self) noexcept
    cdef int close_all(self) except -1
    cdef int discard(self, Connection *connection) except -1
