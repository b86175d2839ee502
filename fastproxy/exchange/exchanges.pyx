"""All exchanges of a worker, as the engine sees them.

The engine tells what happened to a connection; everything that may go on later (a pipelined request, a paused side)
goes through the connections' queue, so that nothing recurses and the shared read buffer has one user at a time.

Invariants: an exchange belongs to one downstream connection and at most one upstream connection at a time; nothing is
read from one side while the other side has bytes that it did not take; every exchange ends in `end`.
Each layer builds on the one below and calls nothing above:
log < timeouts < response_heads < admitting < ending < shedding < relay < upgrade < pending < attempt < sessions
< first_frames < lost_sessions < asking < found_sessions < repeating < other_hosts < retrying < answer_heads < response
< answers < rewriting < choice < limiting < mirroring < request_heads < request < takeover
< reduced_timeouts.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free

from fastproxy.connections cimport (
    CARRIES_SESSION, CLOSED, CLOSE_WHEN_FLUSHED, CONNECTING, DOWNSTREAM, IDLE, LEAVING, LINGERING,
    MIRROR, PARTIAL_HEAD, PAUSED, READABLE, SLAB, TCP_DOWNSTREAM, TCP_UPSTREAM, UPSTREAM, Connection, Connections,
)
from fastproxy.counters cimport (
    cluster_upstream_cx_connect_timeout, cluster_upstream_cx_idle_timeout, cluster_upstream_cx_max_duration_reached,
    http_downstream_cx_idle_timeout,
    http_downstream_cx_max_duration_reached, http_downstream_rq_header_timeout, http_downstream_rq_idle_timeout,
    http_downstream_rq_max_duration_reached, http_downstream_rq_timeout,
)
from fastproxy.exchange.heartbeats import Heartbeats
from fastproxy.exchange.shared_ids import SharedIds
from fastproxy.exchange.local_replies cimport (
    CONNECT_TIMEOUT, DURATION_TIMEOUT, HEADER_TIMEOUT, REQUEST_TIMEOUT, STREAM_TIMEOUT,
)
from fastproxy.exchange.state cimport Exchange, exchange_of
from fastproxy.head_guard cimport HeadGuard
from fastproxy.host_watch cimport HostWatch
from fastproxy.overload cimport Overload
from fastproxy.response_flags cimport FLAG_DC, FLAG_LR, FLAG_SI, FLAG_UC
from fastproxy.runtime cimport Manager, Runtime
from fastproxy.stamps cimport Stamps
from fastproxy.tunnel cimport (
    TUNNEL_ENDED_BY_UPSTREAM, TUNNEL_FREES_PLACE, TUNNEL_GOES_ON, TUNNEL_SHOWS, TUNNEL_SILENT, TUNNEL_TOO_FAST,
    TUNNEL_TOO_LARGE, Tunnel, TunnelState, tunnel_carry, tunnel_read, tunnel_resume, tunnel_timer,
)
from fastproxy.tunnel cimport tunnel_event as relay_event


cdef class Exchanges(ReducedTimeouts):
    """Carries out the exchanges of one worker."""

    def __init__(self, Connections io, Runtime runtime, Overload overload):
        self.io = io
        self.runtime = runtime
        self.watch = HostWatch()
        self.overload = overload
        self.guard = HeadGuard()
        self.stamps = Stamps()
        self.heartbeats = Heartbeats()
        self.shared_ids = SharedIds()
        self.begin_asking()
        self.make_room(runtime)

    def __dealloc__(self):
        free(self.writer.start)
        free(self.room.text)

    cdef int tunnel_event(self, Connection *connection, uint32_t events) except -1:
        cdef TunnelState state = relay_event(self.io, connection, events)
        if state == TUNNEL_SHOWS:
            state = self.carry_shown(connection, events)
        if state != TUNNEL_GOES_ON:
            self.tunnel_over(<Tunnel *> connection.tunnel, state)

    cdef TunnelState carry_shown(self, Connection *u, uint32_t events) except *:
        """See what a node says first, and carry it on, until that is known or nothing more is there."""
        cdef TunnelState state = TUNNEL_SHOWS
        while state == TUNNEL_SHOWS:
            self.look_at_shown(u)
            state = tunnel_carry(self.io, u, events)
        return state

    cdef int tunnel_over(self, Tunnel *tunnel, TunnelState state) except -1:
        if state == TUNNEL_GOES_ON:
            return 0
        if state == TUNNEL_FREES_PLACE:
            self.free_place(tunnel)
        elif state == TUNNEL_TOO_FAST or state == TUNNEL_TOO_LARGE:
            self.cut_tunnel(tunnel, state == TUNNEL_TOO_LARGE)
        elif state == TUNNEL_SILENT:
            tunnel.downstream.counters[<int> http_downstream_rq_idle_timeout] += 1
            self.end_tunnel(tunnel, FLAG_SI)
        else:
            self.end_tunnel(tunnel, FLAG_UC if state == TUNNEL_ENDED_BY_UPSTREAM else FLAG_DC)

    cdef int resume(self, Connection *connection) except -1:
        """A connection of the queue has its turn: what it holds first, then what the kernel has for it."""
        cdef Exchange x
        cdef TunnelState state
        if connection.kind == CLOSED:
            return 0
        if connection.tunnel != NULL:
            state = tunnel_read(self.io, connection)
            if state == TUNNEL_SHOWS:
                state = self.carry_shown(connection, 0)
            self.tunnel_over(<Tunnel *> connection.tunnel, state)
        elif connection.kind == UPSTREAM:
            self.read_upstream(connection)
        elif connection.kind == DOWNSTREAM:
            x = exchange_of(connection)
            if x is not None and x.is_pending:
                self.serve_pending(x)
            if connection.held != NULL and connection.exchange == NULL and connection.out == NULL:
                connection.flags &= ~PAUSED
                self.consume_held(connection)
            if connection.kind != CLOSED and connection.flags & READABLE:
                self.read_downstream(connection)

    cdef int timer(self, Connection *connection) except -1:
        """A connection's timer has expired; which one it was follows from its state."""
        if connection.kind == TCP_DOWNSTREAM or connection.kind == TCP_UPSTREAM \
                or connection.tunnel != NULL and (<Tunnel *> connection.tunnel).is_relay:
            self.relay_timer(connection)
        elif connection.kind == UPSTREAM:
            self.upstream_timer(connection)
        elif connection.kind == DOWNSTREAM:
            self.downstream_timer(connection)

    cdef int upstream_timer(self, Connection *u) except -1:
        cdef Exchange x = exchange_of(u)
        if u.flags & MIRROR:
            self.end_mirror(u)
        elif u.flags & IDLE:
            u.counters[<int> (cluster_upstream_cx_max_duration_reached if u.ends_ms and self.io.now_ms >= u.ends_ms
                              else cluster_upstream_cx_idle_timeout)] += 1
            self.close_upstream(u)
        elif u.tunnel != NULL:
            u.peer.counters[<int> http_downstream_rq_max_duration_reached] += 1
            self.end_tunnel(<Tunnel *> u.tunnel, 0)
        elif x is None:
            return 0
        elif u.flags & CONNECTING and (x.response_deadline_ms == 0 or self.io.now_ms < x.response_deadline_ms):
            u.counters[<int> cluster_upstream_cx_connect_timeout] += 1
            self.retry_connect(x, CONNECT_TIMEOUT)
        elif x.question is not None and (x.response_deadline_ms == 0 or self.io.now_ms < x.response_deadline_ms):
            self.settle(x)
        elif x.retries is not None and (x.response_deadline_ms == 0 or self.io.now_ms < x.response_deadline_ms):
            self.try_is_late(x)
        else:
            self.response_is_late(x)

    cdef int downstream_timer(self, Connection *c) except -1:
        cdef Exchange x = exchange_of(c)
        cdef Tunnel *tunnel = <Tunnel *> c.tunnel
        if tunnel != NULL and tunnel.meter != NULL and tunnel.meter.resumes_ms:
            tunnel_resume(self.io, tunnel)
        elif tunnel != NULL:
            self.tunnel_over(tunnel, tunnel_timer(self.io, tunnel))
        elif x is not None and x.is_pending and not self.is_late(x):
            if x.response_deadline_ms and self.io.now_ms >= x.response_deadline_ms:
                self.response_is_late(x)
            else:
                self.serve_pending(x)
        elif x is not None and x.retry_at_ms and self.io.now_ms >= x.retry_at_ms:
            self.retry_now(x)
        elif x is not None:
            self.late_exchange(c, x)
        elif c.flags & PARTIAL_HEAD and self.head_timeout_ms(<Manager> c.owner):
            self.late_head(c, <Manager> c.owner)
        elif c.flags & (LINGERING | CLOSE_WHEN_FLUSHED):
            self.waited_enough(c)
        else:
            self.idle_too_long(c, <Manager> c.owner)

    cdef int late_exchange(self, Connection *c, Exchange x) except -1:
        """One of an exchange's limits is reached: say which."""
        cdef int status = 504 if x.request_body.done else 408
        cdef bint has_lasted = x.end_ms and self.io.now_ms >= x.end_ms
        cdef bint lacks_request = not x.request_body.done and x.request_deadline_ms \
            and self.io.now_ms >= x.request_deadline_ms
        if not has_lasted and not lacks_request and self.is_moving(x):
            self.set_stream_timer(x)
            return 0
        x.rules = None  # as with Envoy, this is the connection manager's answer and not the route's
        if has_lasted:
            c.counters[<int> http_downstream_rq_max_duration_reached] += 1
            self.reply(x, status, DURATION_TIMEOUT)
        elif lacks_request:
            c.counters[<int> http_downstream_rq_timeout] += 1
            self.reply(x, status, REQUEST_TIMEOUT)
        else:
            c.counters[<int> http_downstream_rq_idle_timeout] += 1
            x.response_flags |= FLAG_SI
            self.reply(x, status, STREAM_TIMEOUT)

    cdef int idle_too_long(self, Connection *c, Manager manager) except -1:
        """An idle connection is to close. One that has carried a request has drain_timeout for another one.

        That request may be on its way already; its answer then says that it was the last.
        """
        if c.flags & LEAVING:
            self.end_downstream(c)
            return 0
        if c.leaves_ms and self.io.now_ms >= c.leaves_ms:
            c.counters[<int> http_downstream_cx_max_duration_reached] += 1
        else:
            c.counters[<int> http_downstream_cx_idle_timeout] += 1
        if c.requests == 0 and c.held == NULL:
            self.close_downstream(c)
        elif manager.drain_timeout_ms == 0:
            self.end_downstream(c)
        else:
            c.flags |= LEAVING
            self.io.set_timer(c, manager.drain_timeout_ms)

    cdef int late_head(self, Connection *c, Manager manager) except -1:
        """A request head did not come to its end in time: say which limit it was."""
        cdef Exchange x = self.begin(c, manager)
        cdef uint64_t waited_ms = self.io.now_ms - x.start_ms
        if manager.request_headers_timeout_ms and waited_ms >= manager.request_headers_timeout_ms:
            c.counters[<int> http_downstream_rq_header_timeout] += 1
            self.reply(x, 408, HEADER_TIMEOUT)
        elif manager.request_timeout_ms and waited_ms >= manager.request_timeout_ms:
            c.counters[<int> http_downstream_rq_timeout] += 1
            self.reply(x, 408, REQUEST_TIMEOUT)
        elif x.end_ms and self.io.now_ms >= x.end_ms:
            c.counters[<int> http_downstream_rq_max_duration_reached] += 1
            self.reply(x, 408, DURATION_TIMEOUT)
        else:
            c.counters[<int> http_downstream_rq_idle_timeout] += 1
            x.response_flags |= FLAG_SI
            self.reply(x, 408, STREAM_TIMEOUT)

    cdef int drain(self) except -1:
        """Close idle downstream connections; from now on every response closes its own.

        A client of a session would lose it if its next request crossed our end on the way: it may have one more.
        """
        cdef Connection *c
        cdef size_t slab
        cdef int i
        self.draining = True
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                c = <Connection *> self.io.slabs[slab] + i
                if c.kind == DOWNSTREAM and c.exchange == NULL and c.tunnel == NULL and c.held == NULL \
                        and not c.flags & LINGERING:
                    if c.flags & CARRIES_SESSION:
                        c.flags |= LEAVING
                    else:
                        self.end_downstream(c)

    cdef size_t expected(self) noexcept:
        """Connections that `drain` has left open for their last request."""
        cdef Connection *c
        cdef size_t slab, count = 0
        cdef int i
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                c = <Connection *> self.io.slabs[slab] + i
                count += c.kind == DOWNSTREAM and c.flags & CARRIES_SESSION and c.exchange == NULL \
                    and c.tunnel == NULL and not c.flags & (LINGERING | CLOSE_WHEN_FLUSHED)
        return count

    cdef int close_all(self) except -1:
        """End everything that is open: exchanges are logged as they stand."""
        cdef Connection *c
        cdef size_t slab
        cdef int i
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                c = <Connection *> self.io.slabs[slab] + i
                if c.kind == DOWNSTREAM or c.kind == TCP_DOWNSTREAM \
                        or c.kind == UPSTREAM and c.flags & (IDLE | MIRROR):
                    self.discard(c)

    cdef int discard(self, Connection *connection) except -1:
        """End a connection, and what it carries, at once."""
        cdef Exchange x
        if connection.kind == CLOSED:
            return 0
        x = None if connection.kind == TCP_DOWNSTREAM else exchange_of(connection)
        if connection.tunnel != NULL:
            self.end_tunnel(<Tunnel *> connection.tunnel, FLAG_LR)
        elif connection.kind == TCP_DOWNSTREAM or connection.kind == TCP_UPSTREAM:
            self.discard_relay(connection)
        elif x is not None and x.downstream != NULL:
            x.response_flags |= FLAG_LR
            connection = x.downstream
            self.drop_upstream(x)
            self.end(x)
            self.close_downstream(connection)
        elif connection.flags & MIRROR:
            self.end_mirror(connection)
        elif connection.kind == UPSTREAM:
            self.close_upstream(connection)
        else:
            self.close_downstream(connection)
