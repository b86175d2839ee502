"""Sending a request to a host, and on to the next one while it is certain that nothing was sent."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free

from fastproxy.circuit_breakers cimport REQUESTS, Priority
from fastproxy.connections cimport (
    CONNECTING, DRAINING, HIGH_PRIORITY, HUNG_UP, PAUSED, READABLE, REUSED, SHUT, SLAB, UPSTREAM, Buffer, Connection,
    buffer_append,
)
from fastproxy.counters cimport (
    cluster_high_rq_active, cluster_upstream_cx_connect_fail, cluster_upstream_cx_max_duration_reached,
    cluster_upstream_cx_max_requests, cluster_upstream_cx_tx_bytes_total, cluster_upstream_rq_active,
    cluster_upstream_rq_active_overflow, cluster_upstream_rq_completed, cluster_upstream_rq_pending_failure_eject,
    cluster_upstream_rq_retry, cluster_upstream_rq_total, host_cx_connect_fail, host_cx_tx_bytes_total, host_rq_active,
    host_rq_error, host_rq_total, host_sid_opening_active, host_sid_opening_total, host_sid_upgrade_tried,
)
from fastproxy.exchange.local_replies cimport CONNECT_FAILURE
from fastproxy.exchange.state cimport SID_NONE, Exchange, set_exchange
from fastproxy.http1 cimport keep_alive_timeout_s
from fastproxy.pools cimport any_idle, count_pending, has_room, keep_idle, take_idle
from fastproxy.response_flags cimport FLAG_UF
from fastproxy.sent_requests cimport forget_sent, keep_more_sent, keep_sent
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Cluster, Host

cdef enum:
    SESSION_REUSE_MS = 1000  # of connections with sessions: servers close idle ones from 2 s on, and most do not say so
    REUSE_MARGIN_MS = 1000  # below what the node says, and half of it at most
    MAX_STATED_S = 86400


cdef class Attempt(Pending):
    """Has upstream connections carry exchanges."""

    cdef int attempt(self, Exchange x, iovec *parts, int count) except -1:
        """Send the request to the chosen host, or to the next ones while it is certain that nothing was sent."""
        cdef Connection *u
        cdef size_t total = 0
        cdef int i
        for i in range(count):
            total += parts[i].iov_len
        while True:
            if not x.host.cluster.breakers.admits(REQUESTS, x.route.priority):
                self.overflow(x, cluster_upstream_rq_active_overflow)
                return 0
            u = self.kept_connection(x)
            if u != NULL:
                self.bind(x, u)
                if self.io.transmit(u, parts, count) == 0:
                    keep_sent(u, parts, count, total)
                    break
                self.drop_upstream(x)  # the node had closed it: not a byte was sent
                continue
            if not self.may_connect(x, parts, count):
                return 0
            u = self.connect(x.host, x.route.priority)
            if u != NULL:
                self.bind(x, u)
                if self.io.transmit(u, parts, count) == 0:
                    break
                self.drop_upstream(x)
            elif self.lacks_descriptor:
                self.answer_without_descriptor(x)
                return 0
            x.host.cluster.counters[<int> cluster_upstream_cx_connect_fail] += 1
            x.host.counters[<int> host_cx_connect_fail] += 1
            self.watch.origin_failed(x.host, 503)
            if not self.next_host(x):
                self.connect_failed(x, CONNECT_FAILURE)
                return 0
        u.counters[<int> cluster_upstream_cx_tx_bytes_total] += total
        x.host.counters[<int> host_cx_tx_bytes_total] += total
        if not u.flags & REUSED and u.out != NULL and u.out.end - u.out.start == total:
            u.flags |= CONNECTING
            count_pending(x.host, x.route.priority, 1)
            if x.request_body.done:
                self.start_response_timer(x)
            self.io.set_timer(u, self.connect_delay_ms(x))
            return 0
        self.watch.connected(x.host)
        if x.request_body.done:
            self.request_complete(x)
        elif u.out == NULL and x.downstream.flags & PAUSED:
            x.downstream.flags &= ~PAUSED  # it was, for a host that could not be reached at once
            self.io.enqueue(x.downstream)

    cdef Connection *kept_connection(self, Exchange x):
        """An idle connection to the exchange's host; NULL: there is none, or others wait for one."""
        cdef Connection *u
        if x.needs_new_connection or x.host.first_pending[<int> x.route.priority] != NULL and not x.has_waited:
            return NULL
        u = take_idle(x.host, x.route.priority)
        while u != NULL and u.leaves_ms and self.io.now_ms >= u.leaves_ms:
            self.close_upstream(u)  # its timer is late
            u = take_idle(x.host, x.route.priority)
        return u

    cdef int serve_pending(self, Exchange x) except -1:
        """Send a request that waits if it is the first one, and there is a connection for it, or room for one."""
        cdef Buffer *unsent
        cdef iovec whole
        cdef Priority priority = x.route.priority
        if x.host.first_pending[<int> priority] == x.downstream and (
                x.host.idle[<int> priority] != NULL or has_room(x.host, priority)):
            unsent = self.end_waiting(x)
            whole.iov_base = unsent.data + unsent.start
            whole.iov_len = unsent.end - unsent.start
            self.attempt(x, &whole, 1)
            x.has_waited = False
            free(unsent)
        if x.downstream != NULL:
            self.set_stream_timer(x)

    cdef void note_reuse(self, Exchange x) noexcept:
        """How long the connection may be used again after this response: not for as long as the node keeps it.

        A node that closes it just then may have got the request, so that nobody can send it again: a session would end.
        """
        cdef int64_t stated_s = keep_alive_timeout_s(&self.head)
        x.upstream_keeps_ms = 0 if x.protocol is None else SESSION_REUSE_MS
        if stated_s >= 0:
            stated_s = min(stated_s, MAX_STATED_S)
            x.upstream_keeps_ms = max(1, 1000 * stated_s - min(REUSE_MARGIN_MS, 500 * stated_s))
        x.upstream_keeps_alive = x.upstream_keeps_alive and stated_s != 0

    cdef void bind(self, Exchange x, Connection *u) noexcept:
        """Have the upstream connection carry this exchange."""
        cdef Host host = x.host
        set_exchange(u, x)
        u.peer = x.downstream
        u.requests += 1
        x.upstream = u
        self.io.set_timer(u, 0)
        host.counters[<int> host_rq_active] += 1
        host.counters[<int> host_rq_total] += 1
        u.counters[<int> cluster_upstream_rq_total] += 1
        u.counters[<int> cluster_upstream_rq_active] += 1
        if u.flags & HIGH_PRIORITY:
            u.counters[<int> cluster_high_rq_active] += 1
        if x.opens_session:
            host.counters[<int> host_sid_opening_total] += 1
            host.counters[<int> host_sid_opening_active] += 1
        elif x.is_upgrade and x.sid_state != SID_NONE:
            host.counters[<int> host_sid_upgrade_tried] += 1

    cdef bint next_host(self, Exchange x):
        """Go on to the next host that was not tried; False when there is none or the route does not want it."""
        cdef Cluster cluster = x.cluster
        cdef Py_ssize_t tried
        if not x.manager.connect_failover or x.host not in cluster.hosts:
            return False
        tried = cluster.hosts.index(x.host)
        if x.tried is None:
            x.tried = set()
            x.first_choice = tried
        x.tried.add(tried)
        tried = self.place_behind(x)
        if tried < 0 or x.route.auto_host_rewrite and not has_same_name(x.host, <Host> cluster.hosts[tried]):
            return False
        x.host = <Host> cluster.hosts[tried]
        x.needs_new_connection = False
        cluster.counters[<int> cluster_upstream_rq_retry] += 1
        return True

    cdef Py_ssize_t place_behind(self, Exchange x):
        """The place of the next host that was not tried; -1: none is left."""
        return x.cluster.balancer.choose_other(x.hash, x.has_hash, x.first_choice, x.tried)

    cdef int connect_failed(self, Exchange x, bytes reason) except -1:
        x.response_flags |= FLAG_UF
        x.host.counters[<int> host_rq_error] += 1
        self.reply(x, 503, reason)

    cdef int retry_connect(self, Exchange x, bytes reason) except -1:
        """The connection could not be had: send what it was to carry to the next host, or answer 503."""
        cdef Connection *u = x.upstream
        cdef Buffer *unsent = u.out
        cdef iovec part
        u.out = NULL
        self.connected(u)
        x.host.cluster.counters[<int> cluster_upstream_rq_pending_failure_eject] += 1
        x.host.cluster.counters[<int> cluster_upstream_cx_connect_fail] += 1
        x.host.counters[<int> host_cx_connect_fail] += 1
        self.watch.origin_failed(x.host, 503)
        self.drop_upstream(x)
        if unsent != NULL and self.next_host(x):
            part.iov_base = unsent.data + unsent.start
            part.iov_len = unsent.end - unsent.start
            self.attempt(x, &part, 1)
        else:
            self.connect_failed(x, reason)
        free(unsent)

    cdef int leave_upstream(self, Exchange x, bint keeps_alive) except -1:
        """The exchange is through with its upstream connection, which is kept for another one if it may be."""
        cdef Connection *u = x.upstream
        cdef Host host = x.host
        cdef bint keep = keeps_alive and u.out == NULL and not u.flags & (HUNG_UP | SHUT | READABLE | DRAINING) \
            and not host.removed
        u.counters[<int> cluster_upstream_rq_completed] += 1
        self.unbind(x)
        if keep and host.cluster.max_requests_per_connection and \
                u.requests >= host.cluster.max_requests_per_connection:
            u.counters[<int> cluster_upstream_cx_max_requests] += 1
            keep = False
        if keep and u.ends_ms and self.io.now_ms >= u.ends_ms:
            u.counters[<int> cluster_upstream_cx_max_duration_reached] += 1
            keep = False
        if keep:
            u.leaves_ms = self.io.now_ms + x.upstream_keeps_ms if x.upstream_keeps_ms else 0
            if u.ends_ms and (u.leaves_ms == 0 or u.ends_ms < u.leaves_ms):
                u.leaves_ms = u.ends_ms
            keep_idle(self.io, u, host)
        else:
            self.close_upstream(u)

    cdef int drain_upstreams_to(self, set hosts) except -1:
        """Use no connection to these hosts again: kept ones close now, those that carry an exchange with its end. As in
        Envoy: it may be the way there that fails, and others may find a better one."""
        cdef Host host
        cdef Connection *u
        cdef size_t slab
        cdef int i
        for host in hosts:
            while any_idle(host) != NULL:
                self.close_upstream(any_idle(host))
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                u = <Connection *> self.io.slabs[slab] + i
                if u.kind == UPSTREAM and u.tunnel == NULL and not u.flags & CONNECTING and <Host> u.owner in hosts:
                    u.flags |= DRAINING
        return 0

    cdef void request_complete(self, Exchange x) noexcept:
        """The request is with the upstream: from here the route's timeout runs."""
        x.sent_ms = self.io.now_ms
        self.start_response_timer(x)
        if x.upstream != NULL and x.timeout_ms and not x.upstream.flags & CONNECTING:
            self.io.set_timer(x.upstream, max(1, <int64_t> (x.response_deadline_ms - self.io.now_ms)))

    cdef uint64_t connect_delay_ms(self, Exchange x):
        """How long to wait for a connection: connect_timeout, or what is left of the route's timeout."""
        cdef uint64_t delay_ms = x.host.cluster.connect_timeout_ms
        cdef uint64_t now_ms = self.io.now_ms
        if x.response_deadline_ms == 0 or now_ms + delay_ms <= x.response_deadline_ms:
            return delay_ms
        return x.response_deadline_ms - now_ms if x.response_deadline_ms > now_ms else 1

    cdef int send_more(self, Exchange x, iovec *parts, int count) except -1:
        cdef Connection *u = x.upstream
        cdef int i
        if x.is_pending:
            for i in range(count):
                x.unsent = buffer_append(x.unsent, <const char *> parts[i].iov_base, parts[i].iov_len)
        if u == NULL:
            return 0
        if u.flags & SHUT:
            forget_sent(u)  # what is lost here would be missing from it
            return 0
        for i in range(count):
            u.counters[<int> cluster_upstream_cx_tx_bytes_total] += parts[i].iov_len
            x.host.counters[<int> host_cx_tx_bytes_total] += parts[i].iov_len
            keep_more_sent(u, &parts[i])
        if self.io.transmit(u, parts, count) < 0:
            u.flags |= SHUT  # it may have answered before it closed: what it said is still read


cdef bint has_same_name(Host one, Host other):
    """Whether a request that names one of the hosts suits the other."""
    return one.model.hostname == other.model.hostname
