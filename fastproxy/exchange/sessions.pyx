"""Whose session is it? The exchange's questions to the session table, and what it teaches the table."""

from libc.stdint cimport uint32_t

from fastproxy.affinity cimport (
    MAX_OPEN_PACKET, OPEN_PACKET_FOUND, OPEN_PACKET_INCOMPLETE, EngineIo, OpenPacket, Session, read_open_packet,
)
from fastproxy.connections cimport buffer_append
from fastproxy.counters cimport http_sid_evicted, http_sid_known, http_sid_learned, http_sid_unknown
from fastproxy.exchange.state cimport Exchange

cdef enum:
    GRACE_S = 15  # an entry outlives its session's heartbeat by this


cdef class Sessions(Attempt):
    """Keeps Engine.IO sessions on the hosts that issued them."""

    cdef void find_session(self, Exchange x, EngineIo *engine_io):
        """Give the exchange the host that issued the request's `sid`, or have it look for one in the answer."""
        cdef uint32_t digest = 0
        if not engine_io.is_engine_io or not x.manager.sid_affinity or self.runtime.sessions is None:
            return
        if engine_io.sid.length == 0:
            x.learns_sid = engine_io.is_polling and not x.is_head
            return
        if self.runtime.sessions.find(engine_io.sid.data, engine_io.sid.length, self.io.now_ms // 1000,
                                      self.session_lifetime_s, &digest):
            x.host = x.cluster.host_with_digest(digest)
        x.downstream.counters[<int> (http_sid_unknown if x.host is None else http_sid_known)] += 1

    cdef void learn(self, Exchange x, char *data, size_t length):
        """Look for an open packet in the beginning of an answer to a handshake, and remember whose session it is."""
        cdef Session session
        cdef OpenPacket found
        if x.opening != NULL:
            x.opening = buffer_append(x.opening, data, length)
            if x.opening == NULL:
                x.learns_sid = False
                return
            data = x.opening.data + x.opening.start
            length = x.opening.end - x.opening.start
        found = read_open_packet(&session, data, length)
        if found == OPEN_PACKET_INCOMPLETE and length < MAX_OPEN_PACKET:
            if x.opening == NULL:
                x.opening = buffer_append(NULL, data, length)
            return
        x.learns_sid = False
        if found == OPEN_PACKET_FOUND:
            if session.lifetime_s + GRACE_S > self.session_lifetime_s:
                self.session_lifetime_s = session.lifetime_s + GRACE_S
            if self.runtime.sessions.learn(session.sid.data, session.sid.length, x.host.digest,
                                           self.io.now_ms // 1000, session.lifetime_s + GRACE_S) == 1:
                x.downstream.counters[<int> http_sid_evicted] += 1
            x.downstream.counters[<int> http_sid_learned] += 1
