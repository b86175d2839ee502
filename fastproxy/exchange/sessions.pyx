"""Whose session is it? The exchange's questions to the session table, and what it teaches the table."""

from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from fastproxy._sessions cimport Sealed
from fastproxy.affinity cimport EngineIo
from fastproxy.affinity_policy cimport AFFINITY_SID, AffinityPolicy, Protocol
from fastproxy.connections cimport CARRIES_SESSION, buffer_append
from fastproxy.counters cimport (
    host_sid_learned, host_sid_opened_polling, host_sid_opening_active, http_sid_evicted, http_sid_known,
    http_sid_learned, http_sid_not_learned_coding, http_sid_not_stored, http_sid_opened_polling, http_sid_shared,
    http_sid_unknown, http_sid_upgrade_tried,
)
from fastproxy.exchange.state cimport (
    PACKETS_OF_CLIENT, PACKETS_OF_HOST, SID_GONE, SID_KNOWN, SID_NONE, SID_UNKNOWN, Exchange, count_sid,
)
from fastproxy.http1 cimport H_CONTENT_ENCODING, equals, header
from fastproxy.issued_ids cimport SessionId
from fastproxy.json_members cimport FOUND, FOUND_PART, Found
from fastproxy.payloads cimport payload_begin, payload_give_up
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice

from fastproxy.inflation import Inflater

cdef enum:
    TOLD_CHARACTERS = 4  # of an id at most, and no more than a quarter of it: it is as good as a password


cdef class Sessions(Attempt):
    """Keeps sessions on the hosts that issued them."""

    cdef int find_session(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io) except -1:
        """Give the exchange the host that issued the request's id, or have it look for one in the answer."""
        cdef AffinityPolicy policy = x.route.affinity
        cdef uint32_t digest = 0
        cdef Slice id
        if policy is None or self.runtime.sessions is None:
            return 0
        x.protocol = policy.find_id(facts, engine_io, &id)
        if x.protocol is None:
            return 0
        if id.length or x.protocol is policy.engine_io:
            x.downstream.flags |= CARRIES_SESSION
        if x.protocol is policy.engine_io and engine_io.is_polling:
            self.expect_packets(x, engine_io)
        if policy.has_others:
            x.expects_id = not equals(self.head.method, b"options")  # a preflight changes nothing
        if id.length == 0:
            x.expects_id = x.expects_id or engine_io.is_polling and not x.is_head
            x.opens_session = self.may_open(x, policy, engine_io)
            return 0
        x.seal = x.protocol.seal(self.runtime.sessions, id)
        x.sid_state = SID_UNKNOWN
        memcpy(x.sid_beginning, id.data, min((id.length + 3) // 4, <size_t> TOLD_CHARACTERS))
        if self.runtime.sessions.find(&x.seal, self.io.now_ms // 1000, &digest):
            if digest == SEVERAL_HOSTS:
                x.sid_state = SID_NONE
                return 0
            x.host = x.cluster.host_with_digest(digest)
            x.issuer_digest = digest
            x.sid_state = SID_GONE if x.host is None else SID_KNOWN
        if x.host is not None:
            x.affinity = AFFINITY_SID
        else:
            x.opens_session = x.protocol.takes_paths and x.expects_id  # the client has made the id up
        x.ends_session = x.protocol.ended_by is not None and equals(self.head.method, x.protocol.ended_by)
        count_sid(x, <int> (http_sid_unknown if x.host is None else http_sid_known))
        if x.is_upgrade:
            count_sid(x, http_sid_upgrade_tried)

    cdef void expect_packets(self, Exchange x, EngineIo *engine_io) noexcept:
        """Have the packets of a poll counted: a GET fetches those of the host, a POST brings the client's."""
        payload_begin(&x.packets, not engine_io.is_version_4)
        if equals(self.head.method, b"get"):
            x.packet_source = PACKETS_OF_HOST
        elif equals(self.head.method, b"post"):
            x.packet_source = PACKETS_OF_CLIENT
            self.check_coding(x)

    cdef void check_coding(self, Exchange x) noexcept:
        """Packets are not looked for in an encoded body, whose head was just parsed."""
        cdef const Slice *coding = header(&self.head, H_CONTENT_ENCODING)
        if coding != NULL and not equals(coding[0], b"identity"):
            payload_give_up(&x.packets)

    cdef bint may_open(self, Exchange x, AffinityPolicy policy, EngineIo *engine_io) noexcept:
        """Whether a request without an id may begin a session: with Engine.IO a poll or a websocket handshake."""
        if x.protocol is not policy.engine_io:
            return not equals(self.head.method, b"options")
        return x.is_upgrade or engine_io.is_polling and equals(self.head.method, b"get")

    cdef int read_issued(self, Exchange x) except -1:
        """See whether the head of an answer issues an id, and whether the body behind it may."""
        cdef AffinityPolicy policy = x.route.affinity
        cdef Protocol protocol
        if x.status >= 400:
            return 0
        if x.ends_session and x.status < 300:
            self.runtime.sessions.forget(&x.seal)
            return 0
        if x.protocol is policy.engine_io and x.sid_state == SID_NONE and x.status == 200:
            self.expect_in_body(x, x.protocol)
        if policy.has_others:
            for protocol in policy.others:
                self.learn_from_head(x, protocol)

    cdef int learn_from_head(self, Exchange x, Protocol protocol) except -1:
        cdef SessionId id
        cdef Found found = protocol.find_issued(&self.head, &id)
        cdef bint is_own = x.protocol is protocol and x.sid_state != SID_NONE
        if found == FOUND and id.length:
            self.remember(x, protocol, Slice(<const char *> id.text, id.length), protocol.lifetime_s)
        elif found == FOUND:
            if is_own:
                self.runtime.sessions.forget(&x.seal)
        elif protocol.takes_paths:
            if is_own:
                self.store(x, &x.seal, x.host.digest, protocol.lifetime_s)
        elif not x.learns_sid:
            self.expect_in_body(x, protocol)

    cdef int expect_in_body(self, Exchange x, Protocol protocol) except -1:
        """Have the beginning of the body looked at, if it may issue an id of this protocol and can be read."""
        cdef size_t limit = protocol.read_limit(&self.head)
        cdef const Slice *coding = header(&self.head, H_CONTENT_ENCODING)
        cdef bint is_gzip
        if limit == 0 or x.is_head:
            return 0
        if coding != NULL and not equals(coding[0], b"identity"):
            is_gzip = equals(coding[0], b"gzip") or equals(coding[0], b"x-gzip")
            if not is_gzip and not equals(coding[0], b"deflate"):
                x.downstream.counters[<int> http_sid_not_learned_coding] += 1
                return 0
            x.inflater = Inflater(is_gzip, limit)
        x.learns_sid = True
        x.issuer = protocol
        x.read_limit = limit

    cdef int learn(self, Exchange x, char *data, size_t length) except -1:
        """Look for an id in the beginning of a body that `data` belong to, and remember whose session it is."""
        cdef bytes plain
        if x.inflater is None:
            self.learn_from_body(x, data, length)
            return 0
        plain = x.inflater.more(data[:length])
        if plain is None:
            x.learns_sid = False
        elif plain:
            self.learn_from_body(x, plain, len(plain))

    cdef int learn_from_body(self, Exchange x, char *data, size_t length) except -1:
        cdef SessionId id
        cdef Sealed seal
        cdef Found found
        cdef uint32_t lifetime_s
        if x.opening != NULL:
            x.opening = buffer_append(x.opening, data, length)
            if x.opening == NULL:
                x.learns_sid = False
                return 0
            data = x.opening.data + x.opening.start
            length = x.opening.end - x.opening.start
        length = min(length, x.read_limit)
        found = x.issuer.find_in_body(data, length, &id, &lifetime_s)
        if found == FOUND_PART and length < x.read_limit:
            if x.opening == NULL:
                x.opening = buffer_append(NULL, data, length)
            return 0
        x.learns_sid = False
        if found != FOUND:
            return 0
        if x.issuer is (<AffinityPolicy> x.route.affinity).engine_io:
            self.learn_open_packet(x, Slice(<const char *> id.text, id.length), lifetime_s, &seal)
        else:
            self.remember(x, x.issuer, Slice(<const char *> id.text, id.length), lifetime_s)

    cdef int learn_open_packet(self, Exchange x, Slice id, uint32_t lifetime_s, Sealed *seal) except -1:
        """The exchange's host has begun a session. An id that another host of the cluster has issued as well says
        nothing: requests with it go where the hash or the balancer sends them."""
        seal[0] = x.protocol.seal(self.runtime.sessions, id)
        self.check_heartbeat(x, lifetime_s)
        lifetime_s += GRACE_S
        self.longest_lifetime_s = max(self.longest_lifetime_s, lifetime_s)
        if self.is_issued_elsewhere(x, seal):
            count_sid(x, http_sid_shared)
            self.shared_ids.tell(x.cluster.name.decode(), x.host.address.decode())
            self.store(x, seal, SEVERAL_HOSTS, lifetime_s)
        else:
            self.store(x, seal, x.host.digest, lifetime_s)

    cdef bint is_issued_elsewhere(self, Exchange x, const Sealed *seal):
        """Whether a live session of another host of the cluster has this id."""
        cdef uint32_t digest = 0
        if not self.runtime.sessions.find(seal, self.io.now_ms // 1000, &digest) or digest == x.host.digest:
            return False
        return digest == SEVERAL_HOSTS or x.cluster.host_with_digest(digest) is not None

    cdef int remember(self, Exchange x, Protocol protocol, Slice id, uint32_t lifetime_s) except -1:
        """The exchange's host has issued this id."""
        cdef Sealed seal = protocol.seal(self.runtime.sessions, id)
        self.store(x, &seal, x.host.digest, lifetime_s)

    cdef int store(self, Exchange x, const Sealed *seal, uint32_t digest, uint32_t lifetime_s) except -1:
        """Write down that a session is the host's of that digest, unless it is known: some answers repeat their id."""
        cdef uint32_t known = 0
        cdef int stored
        if x.sid_state != SID_NONE and self.runtime.sessions.find(seal, self.io.now_ms // 1000, &known) and \
                known == digest:
            return 0
        stored = self.runtime.sessions.learn(seal, digest, self.io.now_ms // 1000, lifetime_s)
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
