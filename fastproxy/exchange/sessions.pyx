"""Whose session is it? The exchange's questions to the session table, and what it teaches the table."""

from libc.stdint cimport uint32_t

from fastproxy.affinity cimport (
    MAX_OPEN_PACKET, OPEN_PACKET_FOUND, OPEN_PACKET_INCOMPLETE, EngineIo, OpenPacket, Session, read_open_packet,
)
from fastproxy.affinity_policy cimport AFFINITY_SID, AffinityPolicy
from fastproxy.connections cimport buffer_append
from fastproxy.counters cimport (
    host_sid_learned, host_sid_opened_polling, host_sid_opening_active, http_sid_evicted, http_sid_known,
    http_sid_learned, http_sid_not_stored, http_sid_opened_polling, http_sid_unknown, http_sid_upgrade_tried,
)
from fastproxy.exchange.state cimport SID_GONE, SID_KNOWN, SID_UNKNOWN, Exchange, count_sid
from fastproxy.http1 cimport equals
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice

cdef enum:
    GRACE_S = 15  # an entry outlives its session's heartbeat by this


cdef class Sessions(Attempt):
    """Keeps sessions on the hosts that issued them."""

    cdef void find_session(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io):
        """Give the exchange the host that issued the request's id, or have it look for one in the answer."""
        cdef AffinityPolicy policy = x.route.affinity
        cdef uint32_t digest = 0
        cdef Slice id
        if policy is None or self.runtime.sessions is None:
            return
        x.protocol = policy.find_id(facts, engine_io, &id)
        if x.protocol is None:
            return
        if id.length == 0:
            x.learns_sid = engine_io.is_polling and not x.is_head
            x.opens_session = self.may_open(x, policy, engine_io)
            return
        x.seal = self.runtime.sessions.seal(id.data, id.length)
        x.sid_state = SID_UNKNOWN
        if self.runtime.sessions.find(&x.seal, self.io.now_ms // 1000, &digest):
            x.host = x.cluster.host_with_digest(digest)
            x.sid_state = SID_GONE if x.host is None else SID_KNOWN
        if x.host is not None:
            x.affinity = AFFINITY_SID
        count_sid(x, <int> (http_sid_unknown if x.host is None else http_sid_known))
        if x.is_upgrade:
            count_sid(x, http_sid_upgrade_tried)

    cdef bint may_open(self, Exchange x, AffinityPolicy policy, EngineIo *engine_io) noexcept:
        """Whether a request without an id may begin a session: with Engine.IO a poll or a websocket handshake."""
        if x.protocol is not policy.engine_io:
            return not equals(self.head.method, b"options")
        return x.is_upgrade or engine_io.is_polling and equals(self.head.method, b"get")

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
            self.check_heartbeat(x, session.lifetime_s)
            self.remember(x, session.sid, session.lifetime_s + GRACE_S)

    cdef void remember(self, Exchange x, Slice id, uint32_t lifetime_s):
        """The exchange's host has issued this id."""
        cdef int stored
        x.seal = self.runtime.sessions.seal(id.data, id.length)
        stored = self.runtime.sessions.learn(&x.seal, x.host.digest, self.io.now_ms // 1000, lifetime_s)
        count_sid(x, <int> (http_sid_not_stored if stored < 0 else http_sid_learned))
        if stored == 1:
            count_sid(x, http_sid_evicted)
        if stored >= 0:
            x.host.counters[<int> host_sid_learned] += 1
        if x.opens_session:
            self.count_opened(x)

    cdef void count_opened(self, Exchange x) noexcept:
        """The host has answered with an id: from here the table counts the session."""
        x.opens_session = False
        x.host.counters[<int> host_sid_opening_active] -= 1
        x.host.counters[<int> host_sid_opened_polling] += 1
        count_sid(x, http_sid_opened_polling)
