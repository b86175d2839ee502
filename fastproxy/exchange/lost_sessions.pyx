"""What is said of a session that is lost: by a host, and by the proxy in its place.

The client is told at once what its server would tell it, so that it begins a new session without waiting; the log
tells the operator why.
"""

from libc.stdlib cimport free

from fastproxy.bodies cimport Body, Framing, body_init, body_take
from fastproxy.connections cimport ENDED, Buffer, Connection, buffer_append
from fastproxy.counters cimport (
    HttpCounter, host_rq_error, host_sid_lost, http_sid_lost_by_host, http_sid_lost_connect_fail,
    http_sid_lost_host_gone,
)
from fastproxy.exchange.state cimport Exchange, count_sid
from fastproxy.http1 cimport H_CONTENT_ENCODING, header
from fastproxy.response_flags cimport FLAG_UF

cdef enum:
    JUDGED_BYTES = 2048  # the beginning of an answer's body, which may say that the session is not known


cdef class LostSessions(FirstFrames):
    """Judges answers, and gives the one of a lost session."""

    cdef Verdict judge(self, Exchange x, Connection *u, Framing framing, char *data, size_t length):
        """Whether the answer whose head was just parsed says that the session is lost; `data` is what follows the
        head. An encoded body is not looked into, and the end of the connection leaves nothing to wait for. An ASGI
        application cannot say why it refuses a WebSocket: its server answers 403, without a word."""
        cdef Body body
        cdef Buffer *copy
        cdef size_t payload = 0
        cdef ssize_t used = 0
        cdef bint is_lost
        if self.head.status < 400:
            return VERDICT_OTHER
        if x.is_upgrade and x.question is not None and self.head.status == 403:
            return VERDICT_REFUSED
        if not x.protocol.may_say_lost(self.head.status) or header(&self.head, H_CONTENT_ENCODING) != NULL:
            return VERDICT_OTHER
        body_init(&body, framing, self.head.content_length)
        copy = buffer_append(NULL, data, length)  # for the chunks to be taken out of it
        if copy == NULL:
            return VERDICT_OTHER
        if not body.done:
            used = body_take(&body, copy.data, length, &payload)
        is_lost = used >= 0 and x.protocol.says_lost(
            self.head.status, copy.data, min(payload, <size_t> JUDGED_BYTES))
        free(copy)
        if used < 0:
            return VERDICT_OTHER
        if not body.done and payload < JUDGED_BYTES and not u.flags & ENDED:
            return VERDICT_OPEN
        if is_lost:
            return VERDICT_LOST_WHOLE if body.done and <size_t> used == length else VERDICT_LOST
        return VERDICT_OTHER

    cdef int lost_by_host(self, Exchange x) except -1:
        """The host that issued the id does not know it any more: its answer goes on to the client."""
        self.runtime.sessions.forget(&x.seal)
        count_sid(x, http_sid_lost_by_host)
        x.host.counters[<int> host_sid_lost] += 1
        self.tell(x, f"was issued by {x.host.address.decode()}, which does not know it any more")

    cdef int reply_host_gone(self, Exchange x) except -1:
        """A host issued the id that the cluster does not have. Its entry stays, for the case that it comes back."""
        departure = x.cluster.departure_of(x.issuer_digest)
        if departure is None:
            self.tell(x, f"was issued by a host that cluster {x.cluster.name.decode()} does not have")
        else:
            address, at_ms = departure
            self.tell(x, f"was issued by {address}, which left {(self.io.now_ms - at_ms) // 1000} s ago")
        self.reply_lost(x, http_sid_lost_host_gone)

    cdef int reply_connect_failed(self, Exchange x) except -1:
        """The host that issued the id cannot be connected."""
        x.response_flags |= FLAG_UF
        x.host.counters[<int> host_rq_error] += 1
        self.runtime.sessions.forget(&x.seal)
        self.tell(x, f"was issued by {x.host.address.decode()}, which cannot be connected")
        self.reply_lost(x, http_sid_lost_connect_fail)

    cdef int reply_lost(self, Exchange x, HttpCounter counter) except -1:
        """Answer in the protocol's words; local_reply_config leaves them alone."""
        count_sid(x, <int> counter)
        x.is_judged = False
        x.question = None
        x.is_verbatim = True
        x.content_type = x.protocol.lost_content_type
        self.reply(x, x.protocol.lost_status, x.protocol.lost_body)

    cdef int tell(self, Exchange x, str what) except -1:
        self.loss_log.tell(self.io.now_ms, x.sid_beginning.decode("latin-1"), what)
