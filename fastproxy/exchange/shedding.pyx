"""What is given up, and refused, when there is too much to do: descriptors, requests, new sessions.

What stands is kept: exchanges under way, tunnels, and connections that carry the requests of a session.
"""

from fastproxy.connections cimport (
    CARRIES_SESSION, DOWNSTREAM, IDLE, LINGERING, PARTIAL_HEAD, QUEUED, READABLE, SLAB, UPSTREAM, Connection,
)
from fastproxy.counters cimport (
    http_downstream_cx_overload_idle_close, http_downstream_rq_overload_close,
    http_downstream_rq_overload_new_session, http_rq_overload_local_reply,
)
from fastproxy.exchange.local_replies cimport OVERLOADED
from fastproxy.exchange.state cimport SID_NONE, Exchange, PartialHead
from fastproxy.overload cimport REFUSE_NEW_SESSIONS, SHED_HEADERS, SHED_ROUTER, STOP_ACCEPTING_REQUESTS, is_calm
from fastproxy.pools cimport connect_to
from fastproxy.response_flags cimport FLAG_OM
from fastproxy.syscalls cimport EMFILE, ENFILE, MSG_DONTWAIT, MSG_PEEK, errno, recv
from fastproxy.upstream cimport Host

cdef enum:
    SCANNED_AT_ONCE = 4096  # structs that are looked at for one that can be closed
    SLOW_HEAD_MS = 1000  # a head that takes longer to come is one that may be given up

cdef bytes RETRY_AFTER_S = b"5"  # said to a client whose new session is refused


cdef class Shedding(Ending):
    """Makes room, and says no."""

    cdef int shed(self, int wanted):
        """Close at most `wanted` connections that nobody misses; how many that were.

        They are kept ones to hosts, and those of clients that have begun nothing: idle between two requests, silent
        since they were accepted, or slow with a head. It goes round, so whoever came last is looked at last.
        """
        cdef size_t count = self.io.slab_count * SLAB
        cdef Connection *c
        cdef size_t looked = 0
        cdef int closed = 0
        while looked < count and looked < SCANNED_AT_ONCE and closed < wanted:
            looked += 1
            self.shed_next = self.shed_next + 1 if self.shed_next + 1 < count else 0
            c = <Connection *> self.io.slabs[self.shed_next // SLAB] + self.shed_next % SLAB
            if not self.is_dispensable(c):
                continue
            closed += 1
            if c.kind == UPSTREAM:
                self.close_upstream(c)
            else:
                c.counters[<int> http_downstream_cx_overload_idle_close] += 1
                self.close_downstream(c)
        self.idle_closed += closed
        return closed

    cdef bint is_dispensable(self, Connection *c) noexcept:
        """Whether nothing is lost with a connection. A request that waits in the kernel would be."""
        cdef char byte
        if c.tunnel != NULL or c.flags & (QUEUED | READABLE):
            return False
        if c.kind == UPSTREAM:
            return c.flags & IDLE != 0
        if c.kind != DOWNSTREAM or c.out != NULL or c.flags & CARRIES_SESSION:
            return False
        if c.flags & PARTIAL_HEAD:
            return self.is_slow_head(c)
        if c.exchange != NULL or c.held != NULL:
            return False
        return c.flags & LINGERING or recv(c.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0

    cdef bint is_slow_head(self, Connection *c) noexcept:
        return self.io.now_ms - (<PartialHead> c.exchange).start_ms >= SLOW_HEAD_MS

    cdef Connection *connect(self, Host host, Priority priority):
        """Begin to connect; where there is no descriptor for that, once more in place of a connection that is given up.
        NULL when it is not possible."""
        cdef Connection *u = connect_to(self.io, host, priority)
        self.lacks_descriptor = u == NULL and (errno == EMFILE or errno == ENFILE)
        if self.lacks_descriptor and self.shed(1):
            u = connect_to(self.io, host, priority)
            self.lacks_descriptor = u == NULL and (errno == EMFILE or errno == ENFILE)
        return u

    cdef int answer_without_descriptor(self, Exchange x) except -1:
        """There is none for a connection to any host: it is not the host's fault, and another one would not help."""
        x.response_flags |= FLAG_OM
        self.reply(x, 503, OVERLOADED)

    cdef bint is_request_shed(self, Exchange x):
        """Whether the overload manager lets no request in at present; then it is answered here."""
        if is_calm(self.overload) or not (
                self.overload.sheds(SHED_HEADERS, self.stamps.random())
                or self.overload.acts(STOP_ACCEPTING_REQUESTS, self.stamps.random())):
            return False
        x.downstream.counters[<int> http_downstream_rq_overload_close] += 1
        self.reply(x, 503, OVERLOADED)
        return True

    cdef bint is_forwarding_shed(self, Exchange x):
        """Whether requests go to no node at present; then it is answered here."""
        if is_calm(self.overload) or not self.overload.sheds(SHED_ROUTER, self.stamps.random()):
            return False
        x.downstream.counters[<int> http_rq_overload_local_reply] += 1
        self.reply(x, 503, OVERLOADED)
        return True

    cdef bint is_session_refused(self, Exchange x):
        """Whether a request that would begin a session or a tunnel comes at a bad time; then it is answered here.

        Those of sessions that stand go on, and so does the upgrade of one.
        """
        cdef bint is_scarce = self.io.open_count >= self.overload.scarce_at
        if is_calm(self.overload) and not is_scarce or not x.opens_session and not (
                x.is_upgrade and x.sid_state == SID_NONE):
            return False
        if not is_scarce and not self.overload.acts(REFUSE_NEW_SESSIONS, self.stamps.random()):
            return False
        x.downstream.counters[<int> http_downstream_rq_overload_new_session] += 1
        x.response_flags |= FLAG_OM
        x.fields = [*(x.fields or ()), (b"retry-after", RETRY_AFTER_S)]
        x.changes_response = True
        self.reply(x, 503, OVERLOADED)
        return True
