"""Timeouts that pressure makes shorter (Envoy: envoy.overload_actions.reduce_timeouts).

Timers are armed as the file says. While the action goes on all connections of clients are looked at once a second, and
the timer of one that has been silent for nearly as long as it may be at present is armed anew. So nothing is paid
without pressure, and what it has made shorter is as long as before when it is over.

What the client of a session counts on stays: tunnels, and the polls that a node holds.
"""

from libc.stdint cimport uint64_t

from fastproxy.connections cimport (
    CLOSE_WHEN_FLUSHED, DOWNSTREAM, LEAVING, LINGERING, PARTIAL_HEAD, SLAB, Connection, silent_since_ms,
)
from fastproxy.exchange.state cimport Exchange
from fastproxy.overload cimport TIMER_CONNECTION_IDLE, TIMER_CONNECTION_MAX, TIMER_STREAM_IDLE
from fastproxy.runtime cimport Manager

cdef enum:
    LOOKED_AFTER_MS = 1000


cdef class ReducedTimeouts(Takeover):
    """Hastens timers."""

    cdef void reduce_timeouts(self) noexcept:
        """Look at all connections of clients; to be called once a second while the action goes on."""
        cdef Connection *c
        cdef size_t slab
        cdef int i
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                c = <Connection *> self.io.slabs[slab] + i
                if c.kind == DOWNSTREAM and c.tunnel == NULL and not c.flags & (
                        LEAVING | LINGERING | CLOSE_WHEN_FLUSHED | PARTIAL_HEAD):
                    self.reduce_of(c)

    cdef void reduce_of(self, Connection *c) noexcept:
        cdef Manager manager = <Manager> c.owner
        cdef Exchange x
        if manager.max_connection_duration_ms and c.leaves_ms:
            self.reduce_lifetime(c, manager)
        if c.exchange == NULL:
            self.fire_after(c, self.overload.reduced_ms(TIMER_CONNECTION_IDLE, manager.idle_timeout_ms))
            return
        x = <Exchange> c.exchange
        if x.protocol is None and not x.is_pending and x.retry_at_ms == 0:
            self.fire_after(c, self.overload.reduced_ms(TIMER_STREAM_IDLE, x.idle_timeout_ms))

    cdef void reduce_lifetime(self, Connection *c, Manager manager) noexcept:
        """Have a connection that has lasted long enough for now close with its response, or at once."""
        cdef uint64_t reduced_ms = self.overload.reduced_ms(TIMER_CONNECTION_MAX, manager.max_connection_duration_ms)
        if self.io.now_ms + manager.max_connection_duration_ms < c.leaves_ms + reduced_ms:
            return
        if c.leaves_ms > self.io.now_ms:
            c.leaves_ms = self.io.now_ms
        if c.exchange == NULL:
            self.io.set_timer(c, 1)

    cdef void fire_after(self, Connection *c, uint64_t timeout_ms) noexcept:
        """Have the timer fire when the connection has been silent for that long, if that comes before it is looked at
        again; 0: never."""
        cdef uint64_t fires_ms = max(silent_since_ms(c) + timeout_ms, self.io.now_ms + 1)
        if timeout_ms and fires_ms < self.io.now_ms + LOOKED_AFTER_MS and fires_ms < c.timer.deadline_ms:
            self.io.set_timer(c, fires_ms - self.io.now_ms)
