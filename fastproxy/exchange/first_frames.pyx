"""Sessions that begin as a WebSocket: their open packet is the first message.

It is looked at before the tunnel carries it on, and only in tunnels of Engine.IO that began without a `sid`. A message
that permessage-deflate has compressed is not looked into.
"""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy._sessions cimport Sealed
from fastproxy.affinity_policy cimport AffinityPolicy
from fastproxy.connections cimport AWAITS_OPEN_PACKET, CLOSED, Connection, buffer_append
from fastproxy.exchange.state cimport Exchange, exchange_of, set_exchange
from fastproxy.json_members cimport FOUND, FOUND_PART, Found
from fastproxy.open_packets cimport Session, read_first_frame
from fastproxy.slices cimport Slice
from fastproxy.tunnel cimport Tunnel

cdef enum:
    LOOKED_AT_BYTES = 2052  # MAX_OPEN_PACKET and the head of the frame


cdef class FirstFrames(Sessions):
    """Learns from tunnels."""

    cdef int begin_tunnel(self, Exchange x, char *data, size_t length) except -1:
        cdef AffinityPolicy policy = x.route.affinity
        cdef Connection *u = x.upstream
        cdef bint opens = x.opens_session and policy is not None and x.protocol is policy.engine_io
        Sessions.begin_tunnel(self, x, data, length)
        if opens and u.kind != CLOSED and u.tunnel != NULL:
            u.flags |= AWAITS_OPEN_PACKET
            set_exchange(u, x)  # until then
            if length:
                self.look_at(u, x, data, length)

    cdef int look_at_shown(self, Connection *u) except -1:
        """See what was just read of the node, before it is carried on."""
        self.look_at(u, exchange_of(u), self.io.read_buffer,
                     min((<Tunnel *> u.tunnel).shown_bytes, <uint32_t> LOOKED_AT_BYTES))

    cdef int look_at(self, Connection *u, Exchange x, char *data, size_t length) except -1:
        """Bytes of the node, from the first on; those of several reads are put together."""
        cdef Session session
        cdef Found found
        if x.opening != NULL:
            x.opening = buffer_append(x.opening, data, length)
            if x.opening == NULL:
                self.stop_looking(u)
                return 0
            data = x.opening.data + x.opening.start
            length = x.opening.end - x.opening.start
        found = read_first_frame(&session, data, length)
        if found == FOUND:
            self.opened(u, x, &session)
        if found != FOUND_PART or length >= LOOKED_AT_BYTES:
            self.stop_looking(u)
        elif x.opening == NULL:
            x.opening = buffer_append(NULL, data, length)

    cdef int opened(self, Connection *u, Exchange x, Session *session) except -1:
        """The node has told the id of the session that this tunnel carries, and counts."""
        cdef Slice id = Slice(<const char *> session.sid, session.sid_length)
        cdef Sealed seal
        x.downstream = u.peer  # which counts
        x.opens_session = False
        self.learn_open_packet(x, id, session.lifetime_s, &seal)
        self.runtime.sessions.hand_over(&seal)
        x.downstream = NULL

    cdef int stop_looking(self, Connection *u) except -1:
        u.flags &= ~AWAITS_OPEN_PACKET
        set_exchange(u, None)

    cdef int end_tunnel(self, Tunnel *tunnel, uint64_t flags) except -1:
        if tunnel.upstream.flags & AWAITS_OPEN_PACKET:
            self.stop_looking(tunnel.upstream)
        Sessions.end_tunnel(self, tunnel, flags)
