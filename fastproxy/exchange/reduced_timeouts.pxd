"""Timeouts that pressure makes shorter."""

from libc.stdint cimport uint64_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.state cimport Exchange
from fastproxy.exchange.takeover cimport Takeover
from fastproxy.runtime cimport Manager


cdef class ReducedTimeouts(Takeover):
    cdef void reduce_timeouts(self) noexcept
    cdef void reduce_of(self, Connection *c) noexcept
    cdef void reduce_lifetime(self, Connection *c, Manager manager) noexcept
    cdef void fire_after(self, Connection *c, uint64_t timeout_ms) noexcept
