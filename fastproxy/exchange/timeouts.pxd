"""How long an exchange may be silent and may last, and how long a connection is kept for the next one."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.log cimport ExchangeLog
from fastproxy.exchange.state cimport Exchange
from fastproxy.runtime cimport Manager


cdef class Timeouts(ExchangeLog):
    cdef readonly bint draining
    cdef object heartbeats  # Heartbeats

    cdef bint is_leaving(self, Connection *c) noexcept
    cdef bint is_last_by_overload(self, Connection *c) noexcept
    cdef bint is_worn_out(self, Connection *c, Manager manager) noexcept
    cdef void set_idle_timer(self, Connection *c, Manager manager) noexcept
    cdef void set_stream_timer(self, Exchange x) noexcept
    cdef uint64_t pending_delay_ms(self, Exchange x, uint64_t delay_ms) noexcept
    cdef bint is_late(self, Exchange x) noexcept
    cdef bint is_moving(self, Exchange x) noexcept
    cdef void begin_timeouts(self, Exchange x) noexcept
    cdef void take_route_timeouts(self, Exchange x) noexcept
    cdef int check_heartbeat(self, Exchange x, uint32_t heartbeat_s) except -1
    cdef int tell_heartbeat(self, Exchange x, uint32_t heartbeat_s, str timer, uint64_t limit_ms) except -1
    cdef uint64_t head_timeout_ms(self, Manager manager) noexcept


cdef uint64_t sooner(uint64_t delay_ms, uint64_t deadline_ms, uint64_t now_ms) noexcept nogil
