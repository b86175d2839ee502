"""How long an exchange may be silent and may last, and how long a connection is kept for the next one.

A connection has one timer, armed for whatever comes first. `max_connection_duration` needs none while an exchange is
under way: it is looked at when the response is written, which then says `connection: close`.
"""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.connections cimport LEAVING, Connection, begin_silence
from fastproxy.counters cimport (
    http_downstream_cx_max_requests_reached, http_downstream_cx_overload_disable_keepalive,
)
from fastproxy.exchange.state cimport Exchange
from fastproxy.overload cimport DISABLE_HTTP_KEEPALIVE, is_calm
from fastproxy.runtime cimport Manager
from fastproxy.slow_readers cimport is_taking

cdef enum:
    ROOM_CHECK_MS = 100  # other workers, which may have made room, cannot tell


cdef uint64_t sooner(uint64_t delay_ms, uint64_t deadline_ms, uint64_t now_ms) noexcept nogil:
    """The delay (0: none), or what is left until the deadline when that is less; at least 1."""
    cdef uint64_t left_ms = deadline_ms - now_ms if deadline_ms > now_ms else 1
    return left_ms if delay_ms == 0 or left_ms < delay_ms else delay_ms


cdef class Timeouts(ExchangeLog):
    """Arms the timers of downstream connections."""

    cdef bint is_leaving(self, Connection *c) noexcept:
        """Whether the response at hand is to be the connection's last one, for reasons of the proxy."""
        return self.draining or c.flags & LEAVING or (c.leaves_ms and self.io.now_ms >= c.leaves_ms)

    cdef bint is_last_by_overload(self, Connection *c) noexcept:
        """Whether the overload manager wants connections to end with their responses at present."""
        if is_calm(self.overload) or not self.overload.acts(DISABLE_HTTP_KEEPALIVE, self.stamps.random()):
            return False
        c.counters[<int> http_downstream_cx_overload_disable_keepalive] += 1
        return True

    cdef bint is_worn_out(self, Connection *c, Manager manager) noexcept:
        """Whether the request that begins is the last one of `max_requests_per_connection`."""
        if manager.max_requests_per_connection == 0 or c.requests + 1 < manager.max_requests_per_connection:
            return False
        c.counters[<int> http_downstream_cx_max_requests_reached] += 1
        return True

    cdef void set_idle_timer(self, Connection *c, Manager manager) noexcept:
        """The connection carries nothing: idle_timeout runs, and max_connection_duration if that ends sooner."""
        cdef uint64_t delay_ms = manager.idle_timeout_ms
        begin_silence(c, self.io.now_ms)
        if c.leaves_ms:
            delay_ms = sooner(delay_ms, c.leaves_ms, self.io.now_ms)
        self.io.set_timer(c, delay_ms)

    cdef void set_stream_timer(self, Exchange x) noexcept:
        """Something has moved: stream_idle_timeout starts anew. The request and the exchange have ends besides."""
        cdef uint64_t delay_ms = x.idle_timeout_ms
        begin_silence(x.downstream, self.io.now_ms)
        if x.request_deadline_ms and not x.request_body.done:
            delay_ms = sooner(delay_ms, x.request_deadline_ms, self.io.now_ms)
        if x.end_ms:
            delay_ms = sooner(delay_ms, x.end_ms, self.io.now_ms)
        if x.retry_at_ms:
            delay_ms = sooner(delay_ms, x.retry_at_ms, self.io.now_ms)
        if x.is_pending:
            delay_ms = self.pending_delay_ms(x, delay_ms)
        self.io.set_timer(x.downstream, delay_ms)

    cdef uint64_t pending_delay_ms(self, Exchange x, uint64_t delay_ms) noexcept:
        """The same for a request that waits for a connection: the first in its queue looks for room now and then."""
        if x.idle_timeout_ms:
            delay_ms = sooner(delay_ms, x.pending_since_ms + x.idle_timeout_ms, self.io.now_ms)
        if x.response_deadline_ms:
            delay_ms = sooner(delay_ms, x.response_deadline_ms, self.io.now_ms)
        if x.host.first_pending[<int> x.route.priority] == x.downstream:
            delay_ms = sooner(delay_ms, self.io.now_ms + ROOM_CHECK_MS, self.io.now_ms)
        return delay_ms

    cdef bint is_late(self, Exchange x) noexcept:
        """Whether one of the limits of an exchange that waits for a connection is reached, its route's left out."""
        cdef uint64_t now_ms = self.io.now_ms
        return x.end_ms and now_ms >= x.end_ms \
            or not x.request_body.done and x.request_deadline_ms and now_ms >= x.request_deadline_ms \
            or x.idle_timeout_ms and now_ms >= x.pending_since_ms + x.idle_timeout_ms

    cdef bint is_moving(self, Exchange x) noexcept:
        """Whether one of the two sides, of which nothing comes, still takes what waits for it."""
        cdef bint is_taken = is_taking(x.downstream, x.idle_timeout_ms)
        return x.upstream != NULL and is_taking(x.upstream, x.idle_timeout_ms) or is_taken

    cdef void begin_timeouts(self, Exchange x) noexcept:
        """What the connection manager allows an exchange; its route may say otherwise."""
        x.idle_timeout_ms = x.manager.stream_idle_timeout_ms
        if x.manager.request_timeout_ms:
            x.request_deadline_ms = x.start_ms + x.manager.request_timeout_ms
        if x.manager.max_stream_duration_ms:
            x.end_ms = x.start_ms + x.manager.max_stream_duration_ms
        self.set_stream_timer(x)

    cdef void take_route_timeouts(self, Exchange x) noexcept:
        """What the route says for itself counts instead of what the connection manager says."""
        x.timeout_ms = x.route.timeout_ms
        if x.route.idle_timeout_is_set:
            x.idle_timeout_ms = x.route.idle_timeout_ms
        if x.route.max_stream_duration_is_set:
            x.end_ms = x.start_ms + x.route.max_stream_duration_ms if x.route.max_stream_duration_ms else 0

    cdef int check_heartbeat(self, Exchange x, uint32_t heartbeat_s) except -1:
        """A session of this route may be silent for so long: timers that end one sooner are told of."""
        cdef bint has_timeout = x.route.timeout_is_set or not x.manager.polls_outlive_default_timeout
        if has_timeout and not x.is_upgrade:  # a tunnel has left the route's timeout behind
            self.tell_heartbeat(x, heartbeat_s, "timeout", x.route.timeout_ms)
        if x.retries is not None and not x.is_upgrade:
            self.tell_heartbeat(x, heartbeat_s, "per_try_timeout", x.retries.try_timeout_ms)
            self.tell_heartbeat(x, heartbeat_s, "per_try_idle_timeout", x.retries.idle_timeout_ms)
        if x.route.idle_timeout_is_set:
            self.tell_heartbeat(x, heartbeat_s, "idle_timeout", x.idle_timeout_ms)
        else:
            self.tell_heartbeat(x, heartbeat_s, "stream_idle_timeout", x.idle_timeout_ms)
        if x.end_ms:
            self.tell_heartbeat(x, heartbeat_s, "max_stream_duration", x.end_ms - x.start_ms)

    cdef int tell_heartbeat(self, Exchange x, uint32_t heartbeat_s, str timer, uint64_t limit_ms) except -1:
        if 0 < limit_ms < <uint64_t> heartbeat_s * 1000:
            self.heartbeats.tell(x.route.model, timer, limit_ms, heartbeat_s)

    cdef uint64_t head_timeout_ms(self, Manager manager) noexcept:
        """The shortest of the limits under which a head has to come; 0: none."""
        cdef uint64_t shortest = manager.request_headers_timeout_ms
        if manager.request_timeout_ms:
            shortest = sooner(shortest, manager.request_timeout_ms, 0)
        if manager.stream_idle_timeout_ms:
            shortest = sooner(shortest, manager.stream_idle_timeout_ms, 0)
        if manager.max_stream_duration_ms:
            shortest = sooner(shortest, manager.max_stream_duration_ms, 0)
        return shortest
