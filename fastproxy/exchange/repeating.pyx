"""A kept connection that its node closes while a request is on its way: the request goes out once more.

No retry policy is needed for that, and none counts it: RFC 9112 section 9.3.1 asks it of every client.
"""

from libc.stdlib cimport free

from fastproxy.affinity_policy cimport AffinityPolicy
from fastproxy.connections cimport Buffer, Connection
from fastproxy.counters cimport cluster_upstream_rq_retry_reused_cx, host_rq_error
from fastproxy.exchange.state cimport SID_NONE, Exchange
from fastproxy.sent_requests cimport closed_unread, has_sent, is_idempotent, take_sent
from fastproxy.syscalls cimport iovec


cdef class Repeating(FoundSessions):
    """Repeats requests that a node has closed its connection under."""

    cdef bint is_repeated(self, Exchange x, Connection *u):
        """The node has closed without an answer. Whether the request was sent again, on a new connection."""
        cdef Buffer *sent
        cdef iovec whole
        if not has_sent(u) or not (self.may_come_twice(x, u) or closed_unread(u)):
            return False
        sent = take_sent(u)
        whole.iov_base = sent.data + sent.start
        whole.iov_len = sent.end - sent.start
        u.counters[<int> cluster_upstream_rq_retry_reused_cx] += 1
        x.host.counters[<int> host_rq_error] += 1
        x.needs_new_connection = True
        self.drop_upstream(x)
        self.attempt(x, &whole, 1)
        free(sent)
        return True

    cdef bint may_come_twice(self, Exchange x, Connection *u) noexcept:
        """Whether it does no harm if the node has begun with the request before it closed.

        A poll of a session takes the packets that wait for its client: the next one would not find them any more.
        """
        if x.sid_state != SID_NONE and (
                x.protocol.takes_paths or x.protocol is (<AffinityPolicy> x.route.affinity).engine_io):
            return False
        return is_idempotent(u.sent.data + u.sent.start, u.sent.end - u.sent.start)
