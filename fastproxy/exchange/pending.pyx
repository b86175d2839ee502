"""Requests that wait for a connection to their host, and those that may not even wait (Envoy: circuit breakers).

A request waits where its host has no idle connection and may not have another one. Its client's connection stands in
the queue of the host; nothing more is read of its body. It goes on when a connection is kept, or closed, or when other
workers have made room; until then the limits of its exchange hold, the route's timeout among them.
"""

from libc.stdint cimport uint64_t

from fastproxy.circuit_breakers cimport PENDING_REQUESTS
from fastproxy.connections cimport Buffer, buffer_append
from fastproxy.counters cimport (
    cluster_upstream_cx_overflow, cluster_upstream_rq_pending_overflow, cluster_upstream_rq_pending_total,
)
from fastproxy.exchange.local_replies cimport OVERFLOW
from fastproxy.exchange.state cimport Exchange
from fastproxy.overload cimport SHED_CONNECT, is_calm
from fastproxy.pools cimport add_pending, has_none, is_at_limit
from fastproxy.response_flags cimport FLAG_UO
from fastproxy.syscalls cimport iovec

cdef tuple OVERLOADED = (b"x-envoy-overloaded", b"true")


cdef class Pending(Upgrade):
    """Has requests wait, or answers them."""

    cdef bint may_connect(self, Exchange x, iovec *parts, int count):
        """Whether a connection may be opened now for a request that found no idle one; else it waits, or was answered.

        As in Envoy a request counts as waiting, whether it has to wait for room or only until the host is connected.
        """
        cdef uint64_t *counters = x.host.cluster.counters
        cdef bint is_first = x.has_waited or x.host.first_pending[<int> x.route.priority] == NULL
        cdef bint is_full = is_at_limit(x.host, x.route.priority)
        if not x.has_waited:
            if not x.host.cluster.breakers.admits(PENDING_REQUESTS, x.route.priority):
                x.host = None  # as Envoy, which has not come to a host yet, says in the log
                self.overflow(x, cluster_upstream_rq_pending_overflow)
                return False
            counters[<int> cluster_upstream_rq_pending_total] += 1
        if is_full:
            counters[<int> cluster_upstream_cx_overflow] += 1
        if is_first and (not is_full or has_none(x.host, x.route.priority)):
            if is_calm(self.overload) or not self.overload.sheds(SHED_CONNECT, self.stamps.random()):
                return True
            self.answer_overflow(x)
            return False
        self.wait(x, parts, count)
        return False

    cdef int wait(self, Exchange x, iovec *parts, int count) except -1:
        """Put the request into its host's queue; one that has waited before comes first."""
        cdef int i
        for i in range(count):
            x.unsent = buffer_append(x.unsent, <const char *> parts[i].iov_base, parts[i].iov_len)
            if x.unsent == NULL:
                self.overflow(x, cluster_upstream_rq_pending_overflow)
                return 0
        x.needs_new_connection = False
        x.is_pending = True
        x.pending_since_ms = self.io.now_ms
        add_pending(x.downstream, x.host, x.route.priority, x.has_waited)
        if x.request_body.done:
            self.start_response_timer(x)
        self.set_stream_timer(x)

    cdef Buffer *end_waiting(self, Exchange x):
        """Take the request out of the queue; the caller sends and frees it."""
        cdef Buffer *unsent = x.unsent
        x.unsent = NULL
        x.has_waited = True
        self.leave_queue(x)
        return unsent

    cdef int overflow(self, Exchange x, ClusterCounter counter) except -1:
        """There is no place for the request."""
        x.cluster.counters[<int> counter] += 1
        self.answer_overflow(x)

    cdef int answer_overflow(self, Exchange x) except -1:
        x.response_flags |= FLAG_UO
        if not x.manager.suppress_envoy_headers:
            x.fields = [OVERLOADED] if x.fields is None else [OVERLOADED, *x.fields]
            x.changes_response = True
        self.reply(x, 503, OVERFLOW)

    cdef void start_response_timer(self, Exchange x) noexcept:
        """The route's timeout runs from the end of the request, whether it could be sent already or not."""
        if x.timeout_ms and x.response_deadline_ms == 0:
            x.response_deadline_ms = self.io.now_ms + x.timeout_ms
