"""How exchanges and connections end: answered by the proxy itself, cut, or left by the client.

Every exchange, whatever happens, comes to `end` once.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint64_t
from libc.stdlib cimport free

from fastproxy.circuit_breakers cimport PRIORITIES
from fastproxy.connections cimport (
    CLOSED, CLOSE_WHEN_FLUSHED, CONNECTING, ENDED, HIGH_PRIORITY, HUNG_UP, LEAVING, LINGERING, PAUSED, READABLE,
    SHUT, Connection, reset_on_close, shut,
)
from fastproxy.counters cimport (
    cluster_high_rq_active, cluster_upstream_cx_destroy, cluster_upstream_cx_destroy_local,
    cluster_upstream_cx_protocol_error, cluster_upstream_rq_1xx, cluster_upstream_rq_active,
    cluster_upstream_rq_cancelled, cluster_upstream_rq_pending_active, host_rq_active, host_rq_error,
    host_sid_opening_active, http_downstream_cx_active, http_downstream_cx_delayed_close_timeout,
    http_downstream_cx_destroy, http_downstream_cx_http1_active, http_downstream_cx_http1_total,
    http_downstream_cx_protocol_error, http_downstream_cx_total, http_downstream_cx_tx_bytes_total,
    http_downstream_rq_1xx, http_downstream_rq_active, http_downstream_rq_completed, http_downstream_rq_rx_reset,
    http_downstream_rq_tx_reset, listener_downstream_cx_active, listener_downstream_cx_destroy,
    listener_downstream_cx_total, route_tx_bytes_total,
)
from fastproxy.exchange.local_replies cimport BAD_REQUEST, PROTOCOL_ERROR
from fastproxy.exchange.state cimport PACKETS_OF_NOBODY, Exchange, count_packets, exchange_of, set_exchange
from fastproxy.bodies cimport FRAMING_LENGTH
from fastproxy.http1 cimport HEAD_TOO_MANY_FIELDS, HEAD_UNKNOWN_CODING, HEAD_VERSION, HeadError
from fastproxy.pools cimport count_pending, forget_connection, priority_of, remove_pending, set_owner
from fastproxy.response_flags cimport FLAG_DC, FLAG_DPE, FLAG_UPE
from fastproxy.runtime cimport Manager
from fastproxy.slow_readers cimport is_taking, look, untaken
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Host


cdef class Ending(Admitting):
    """Ends exchanges, and closes connections with their gauges."""

    cdef int accepted(self, Connection *c, Manager manager) except -1:
        """A client has connected to one of the manager's listeners."""
        Py_INCREF(manager)
        c.owner = <PyObject *> manager
        c.counters = manager.counters
        c.counters[<int> http_downstream_cx_total] += 1
        c.counters[<int> http_downstream_cx_active] += 1
        c.counters[<int> http_downstream_cx_http1_total] += 1
        c.counters[<int> http_downstream_cx_http1_active] += 1
        manager.listener_counters[<int> listener_downstream_cx_total] += 1
        manager.listener_counters[<int> listener_downstream_cx_active] += 1
        if manager.max_connection_duration_ms:
            c.leaves_ms = self.io.now_ms + manager.max_connection_duration_ms
        self.set_idle_timer(c, manager)
        if manager.limits_connections and not (self.admits(c, manager.gate) and self.admits_address(c, manager)):
            self.turn_away(c, manager)

    cdef int turn_away(self, Connection *c, Manager manager) except -1:
        """The connection is one too many: close it, at once or after the delay that the filter chain has for that."""
        if manager.gate is None or c.is_gated or manager.gate.delay_ms == 0:
            self.close_downstream(c)
            return 0
        c.flags |= LINGERING
        self.io.set_timer(c, manager.gate.delay_ms)

    cdef int close_downstream(self, Connection *c) except -1:
        cdef Manager manager
        if c.kind == CLOSED:
            return 0
        manager = <Manager> c.owner
        c.counters[<int> http_downstream_cx_active] -= 1
        c.counters[<int> http_downstream_cx_http1_active] -= 1
        c.counters[<int> http_downstream_cx_destroy] += 1
        manager.listener_counters[<int> listener_downstream_cx_active] -= 1
        manager.listener_counters[<int> listener_downstream_cx_destroy] += 1
        if c.is_gated or c.hold:
            self.leaves(c, manager.gate)
        self.io.close(c)

    cdef int end_downstream(self, Connection *c) except -1:
        """End our direction once everything is sent, and close when the client has ended its own.

        It has delayed_close_timeout for that, and ten times that to take something where not everything is taken.
        Closing at once could meet bytes that the client is still sending: the RST would cost it the answer.
        """
        cdef uint64_t linger_ms = (<Manager> c.owner).delayed_close_timeout_ms
        c.flags = (c.flags | LINGERING) & ~PAUSED
        free(c.held)
        c.held = NULL
        if c.out != NULL:
            c.flags |= CLOSE_WHEN_FLUSHED
            look(c)
            self.io.set_timer(c, (<Manager> c.owner).flush_timeout_ms)
        elif c.flags & ENDED or linger_ms == 0:
            self.close_downstream(c)
        else:
            c.flags &= ~CLOSE_WHEN_FLUSHED
            c.untaken_bytes = 0  # linger_ms may be too short to tell a slow reader from one that takes nothing
            shut(c)
            self.io.set_timer(c, linger_ms)
            if c.flags & READABLE:
                self.io.enqueue(c)

    cdef int waited_enough(self, Connection *c) except -1:
        """A connection that ends has had its time. Who has not taken all and goes on taking has it anew."""
        cdef uint64_t flush_timeout_ms = (<Manager> c.owner).flush_timeout_ms
        if untaken(c) and is_taking(c, flush_timeout_ms):
            self.io.set_timer(c, flush_timeout_ms)
            return 0
        if c.flags & (SHUT | CLOSE_WHEN_FLUSHED):  # else it was turned away
            c.counters[<int> http_downstream_cx_delayed_close_timeout] += 1
        self.close_downstream(c)

    cdef int downstream_failed(self, Connection *c) except -1:
        """The client is gone, or has closed where it may not: end its exchange, if any, and the connection."""
        cdef Exchange x = exchange_of(c)
        if x is not None:
            x.response_flags |= FLAG_DC
            c.counters[<int> http_downstream_rq_rx_reset] += 1
            self.drop_upstream(x)
            self.end(x)
        self.close_downstream(c)

    cdef void unbind(self, Exchange x) noexcept:
        cdef Connection *u = x.upstream
        x.upstream = NULL
        if u.flags & CONNECTING:
            u.counters[<int> cluster_upstream_rq_cancelled] += 1
            self.connected(u)
        if u.flags & HIGH_PRIORITY:
            u.counters[<int> cluster_high_rq_active] -= 1
        x.host.counters[<int> host_rq_active] -= 1
        if x.opens_session:
            x.host.counters[<int> host_sid_opening_active] -= 1
        u.counters[<int> cluster_upstream_rq_active] -= 1
        u.peer = NULL
        set_exchange(u, None)

    cdef int drop_upstream(self, Exchange x) except -1:
        """Give up the upstream connection: its state is not known any more."""
        cdef Connection *u = x.upstream
        if u != NULL:
            self.unbind(x)
            self.close_upstream(u)

    cdef int close_upstream(self, Connection *u) except -1:
        cdef Host host
        if u.kind == CLOSED:
            return 0
        host = <Host> u.owner
        forget_connection(u, host)
        u.counters[<int> cluster_upstream_cx_destroy] += 1
        if not u.flags & HUNG_UP:
            u.counters[<int> cluster_upstream_cx_destroy_local] += 1
        if u.counters[<int> cluster_upstream_rq_pending_active]:
            self.tell_of_room(host)
        self.io.close(u)

    cdef void tell_of_room(self, Host host) noexcept:
        """Give those a turn that wait first for this host, and for the others of its cluster."""
        cdef Host other
        self.take_turn(host)
        for other in host.cluster.hosts:
            self.take_turn(other)

    cdef void take_turn(self, Host host) noexcept:
        cdef int priority
        for priority in range(PRIORITIES):
            if host.first_pending[priority] != NULL:
                self.io.enqueue(host.first_pending[priority])

    cdef void leave_queue(self, Exchange x) noexcept:
        """The request does not wait for a connection any more; the one behind it looks after the queue."""
        x.is_pending = False
        remove_pending(x.downstream, x.host, x.route.priority)
        self.take_turn(x.host)

    cdef void connected(self, Connection *u) noexcept:
        """The connection that an exchange had opened is there, or given up."""
        u.flags &= ~CONNECTING
        count_pending(<Host> u.owner, priority_of(u), -1)

    cdef void await_request(self, Connection *c, Manager manager) noexcept:
        """The connection is free for the next request; one that came already is taken up from the queue."""
        c.requests += 1
        if manager.superseded and manager.successor is not None:
            manager = manager.newest()
            self.move_to(c, manager)
        if c.flags & LEAVING:
            self.io.set_timer(c, manager.drain_timeout_ms or 1)
        else:
            self.set_idle_timer(c, manager)
        if c.out == NULL and (c.flags & PAUSED or c.held != NULL):
            c.flags &= ~PAUSED
            self.io.enqueue(c)

    cdef void dismiss(self, Connection *c, Manager manager) noexcept:
        """The listener is gone. What is under way goes on; a request that comes within drain_timeout is the last."""
        if c.tunnel == NULL and not c.flags & (CLOSE_WHEN_FLUSHED | LEAVING | LINGERING):
            c.flags |= LEAVING
            if c.exchange == NULL:
                self.io.set_timer(c, manager.drain_timeout_ms or 1)

    cdef void move_to(self, Connection *c, Manager manager) noexcept:
        """Have the connection, which carries nothing, belong to another manager and count there."""
        cdef Manager before = <Manager> c.owner
        if c.counters != manager.counters:
            c.counters[<int> http_downstream_cx_active] -= 1
            c.counters[<int> http_downstream_cx_http1_active] -= 1
            c.counters = manager.counters
            c.counters[<int> http_downstream_cx_active] += 1
            c.counters[<int> http_downstream_cx_http1_active] += 1
        if before.listener_counters != manager.listener_counters:
            before.listener_counters[<int> listener_downstream_cx_active] -= 1
            manager.listener_counters[<int> listener_downstream_cx_active] += 1
        self.change_gate(c, before.gate, manager.gate)
        set_owner(c, manager)

    cdef bint send_downstream(self, Exchange x, iovec *parts, int count):
        cdef Connection *c = x.downstream
        cdef size_t total = 0
        cdef int i
        for i in range(count):
            total += parts[i].iov_len
        c.counters[<int> http_downstream_cx_tx_bytes_total] += total
        if x.route is not None:
            x.route.counters[<int> route_tx_bytes_total] += total
        if total and self.io.transmit(c, parts, count) < 0:
            self.downstream_failed(c)
            return False
        return True

    cdef int reply(self, Exchange x, int status, bytes body) except -1:
        """Answer by ourselves. The connection closes unless the request was read to its end and may keep it."""
        cdef iovec parts[2]
        cdef Connection *c = x.downstream
        cdef bint request_done = x.request_body.done
        if x.response_started:
            self.abort(x)
            return 0
        self.drop_upstream(x)
        x.keep_alive = x.keep_alive and request_done and not self.is_leaving(c)
        x.service_time_ms = -1
        body = self.compose_reply(x, status, body)
        self.count_status(x)
        parts[0].iov_base = self.writer.start
        parts[0].iov_len = self.writer.at - self.writer.start
        parts[1].iov_base = <char *> body
        parts[1].iov_len = x.bytes_sent
        if not self.send_downstream(x, parts, 2 if x.bytes_sent else 1):
            return 0
        self.end(x)
        if x.keep_alive:
            self.await_request(c, x.manager)
        else:
            self.end_downstream(c)

    cdef int refuse(self, Exchange x, HeadError error) except -1:
        """Answer a head that is not acceptable HTTP/1.1; the connection's framing is lost, so it closes."""
        x.request_body.done = False
        x.rules = None
        x.response_flags |= FLAG_DPE
        x.downstream.counters[<int> http_downstream_cx_protocol_error] += 1
        if error == HEAD_TOO_MANY_FIELDS:
            self.reply(x, 431, b"Request Header Fields Too Large")
        elif error == HEAD_UNKNOWN_CODING:
            self.reply(x, 501, b"Not Implemented")
        elif error == HEAD_VERSION:
            self.reply(x, 426, b"Upgrade Required")
        else:
            self.reply(x, 400, BAD_REQUEST)

    cdef int protocol_error(self, Exchange x) except -1:
        """The upstream does not speak HTTP/1.1: its connection is not used again."""
        x.response_flags |= FLAG_UPE
        x.host.counters[<int> host_rq_error] += 1
        self.watch.origin_failed(x.host, 502)
        x.upstream.counters[<int> cluster_upstream_cx_protocol_error] += 1
        self.reply(x, 502, PROTOCOL_ERROR)

    cdef int abort(self, Exchange x) except -1:
        """A response that has begun cannot be completed: cut it so that the client can tell."""
        cdef Connection *c = x.downstream
        self.drop_upstream(x)
        c.counters[<int> http_downstream_rq_tx_reset] += 1
        if x.minor_version == 0 and x.response_body.framing != FRAMING_LENGTH:
            reset_on_close(c)
            self.end(x)
            self.close_downstream(c)
            return 0
        self.end(x)
        self.end_downstream(c)

    cdef void count_status(self, Exchange x) noexcept:
        cdef int step = x.status // 100
        if 1 <= step <= 5:
            x.downstream.counters[<int> http_downstream_rq_1xx + step - 1] += 1
            if x.upstream != NULL:
                x.upstream.counters[<int> cluster_upstream_rq_1xx + step - 1] += 1
                self.watch.answered(x.host, x.status)

    cdef void end(self, Exchange x) noexcept:
        """Every exchange comes here once: counted, logged, forgotten by its connection."""
        cdef Connection *c = x.downstream
        if c == NULL:
            return
        if x.is_pending:
            x.host.cluster.counters[<int> cluster_upstream_rq_cancelled] += 1
            self.leave_queue(x)
        self.active -= 1
        c.counters[<int> http_downstream_rq_active] -= 1
        c.counters[<int> http_downstream_rq_completed] += 1
        if x.packet_source != PACKETS_OF_NOBODY:
            count_packets(x)
        if x.hold:
            self.runtime.tables.counts.give_back(x.hold - 1)
            x.hold = 0
        self.log(x.manager, x.records, x, c)
        x.downstream = NULL
        set_exchange(c, None)
