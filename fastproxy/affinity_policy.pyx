"""The session protocols of a route, compiled: how an id is found in a request and in an answer, and who is asked.

Knows messages, not hosts; of tables only what an id is sealed with.
"""

from functools import lru_cache
from hashlib import blake2b

from libc.string cimport memcpy

from fastproxy.http1 cimport H_CONTENT_TYPE, H_OTHER, header, header_id
from fastproxy.issued_ids cimport (
    MAX_ID, MAX_ISSUING_BYTES, event_id, json_id, set_cookie_id, sockjs_id, take_id, take_query_id, url_id,
)
from fastproxy.json_members cimport FOUND, FOUND_NOTHING, FOUND_PART
from fastproxy.open_packets cimport MAX_OPEN_PACKET, Session, read_open_packet
from fastproxy.request_values cimport cookie, next_line, query_parameter
from fastproxy.syscalls cimport memmem, strncasecmp

from fastproxy.model_affinity import IdSource

cdef enum Source:  # IdSource
    SOURCE_QUERY
    SOURCE_HEADER
    SOURCE_COOKIE
    SOURCE_JSON
    SOURCE_EVENT
    SOURCE_OPEN_PACKET
    SOURCE_SOCKJS_PATH

SOURCES = list(IdSource)
MAX_POLICIES = 256  # that are kept to be shared: thousands of routes may inherit one


cdef bint is_media_type(const Head *head, const char *lower, size_t length) noexcept:
    """Whether the body of an answer is of that type, whatever its parameters."""
    cdef const Slice *value = header(head, H_CONTENT_TYPE)
    if value == NULL or value.length < length or strncasecmp(value.data, lower, length) != 0:
        return False
    return value.length == length or value.data[length] == c";" or value.data[length] == c" "


cdef bint only_header(const Head *head, bytes name, Slice *value) noexcept:
    """The value of a header that stands there once."""
    cdef int line = next_line(head, name, len(name), 0)
    if line < 0 or next_line(head, name, len(name), line + 1) >= 0:
        return False
    if header_id(name, len(name)) != H_OTHER and head.repeated >> head.fields[line].id & 1:
        return False
    value[0] = head.fields[line].value
    return True


cdef class Place:
    """One place of an id; `model` is a model_affinity.IdPlace."""

    def __init__(self, model):
        self.source = SOURCES.index(model.source)
        self.name = model.name.encode()

    cdef bint find_returned(self, const RequestFacts *facts, SessionId *id) noexcept:
        """Look for the id in a request."""
        cdef Slice value
        if self.source == SOURCE_QUERY:
            return query_parameter(facts.path, self.name, len(self.name), &value) and take_query_id(id, value)
        if self.source == SOURCE_HEADER:
            return only_header(facts.head, self.name, &value) and take_id(id, value)
        if self.source == SOURCE_COOKIE:
            return cookie(facts.head, self.name, len(self.name), &value) and take_id(id, value)
        return self.source == SOURCE_SOCKJS_PATH and sockjs_id(id, facts.path)

    cdef Found find_issued(self, const Head *head, SessionId *id) noexcept:
        """Look for the id in the head of an answer; found and empty: a cookie that is deleted."""
        cdef Slice value
        if self.source == SOURCE_COOKIE:
            return set_cookie_id(id, head, self.name, len(self.name))
        if self.source == SOURCE_HEADER and only_header(head, self.name, &value) and take_id(id, value):
            return FOUND
        if self.source == SOURCE_QUERY and only_header(head, b"location", &value) and \
                url_id(id, value, self.name, len(self.name)):
            return FOUND
        return FOUND_NOTHING

    cdef size_t read_limit(self, const Head *head) noexcept:
        """How much of an answer's body may hold the id; 0: none of it."""
        if self.source == SOURCE_OPEN_PACKET:
            return MAX_OPEN_PACKET
        if self.source == SOURCE_JSON and is_media_type(head, b"application/json", 16):
            return MAX_ISSUING_BYTES
        if self.source == SOURCE_EVENT and is_media_type(head, b"text/event-stream", 17):
            return MAX_ISSUING_BYTES
        return 0

    cdef Found find_in_body(self, const char *data, size_t length, SessionId *id) noexcept:
        """Look for the id in the beginning of an answer's body."""
        if self.source == SOURCE_JSON:
            return json_id(id, data, length, self.name, len(self.name))
        if self.source == SOURCE_EVENT:
            return event_id(id, data, length, self.name, len(self.name))
        return FOUND_NOTHING


cdef class Protocol:
    """One protocol; `model` is a model_affinity.SessionProtocol."""

    def __init__(self, model):
        cdef bytes salt = blake2b(model.name.encode(), digest_size=SALT_BYTES).digest()
        lost = model.lost
        self.model = model
        self.name = model.name.encode()
        memcpy(self.salt, <const char *> salt, SALT_BYTES)
        self.lifetime_s = model.lifetime_s
        self.issued = tuple(Place(place) for place in model.issued)
        self.returned = tuple(Place(place) for place in model.returned)
        self.takes_paths = any(place.source is IdSource.SOCKJS_PATH for place in model.issued)
        self.ended_by = model.ended_by.lower().encode() or None
        self.can_be_asked = lost is not None
        self.said = ()
        if lost is not None:
            self.lost_status = lost.status
            self.lost_content_type = lost.content_type.encode()
            self.lost_body = lost.body.encode()
            self.said = tuple((answer.status, answer.text.encode()) for answer in lost.said)

    cdef bint may_say_lost(self, int status) noexcept:
        """Whether an answer with this status can say that the session is not known."""
        for said_status, _ in self.said:
            if said_status == status:
                return True
        return False

    cdef bint says_lost(self, int status, const char *body, size_t length) noexcept:
        """Whether an answer, of whose body `length` bytes are here, says that the session is not known."""
        cdef int said_status
        cdef bytes text
        for said_status, text in self.said:
            if said_status == status and (not text or memmem(body, length, <const char *> text, len(text)) != NULL):
                return True
        return False

    cdef Sealed seal(self, SessionTable sessions, Slice id) noexcept:
        """The id, at most MAX_ID bytes of it, as the table has it: ids of two protocols are never the same."""
        cdef char salted[SALT_BYTES + MAX_ID]
        memcpy(salted, self.salt, SALT_BYTES)
        memcpy(salted + <int> SALT_BYTES, id.data, min(id.length, <size_t> MAX_ID))
        return sessions.seal(salted, SALT_BYTES + min(id.length, <size_t> MAX_ID))

    cdef bint find_returned(self, const RequestFacts *facts, SessionId *id) noexcept:
        """Look for the id that a request brings back."""
        cdef Place place
        for place in self.returned:
            if place.find_returned(facts, id):
                return True
        return False

    cdef Found find_issued(self, const Head *head, SessionId *id) noexcept:
        """Look for an id in the head of an answer; found and empty: the one of the request is deleted."""
        cdef Place place
        for place in self.issued:
            if place.find_issued(head, id) == FOUND:
                return FOUND
        return FOUND_NOTHING

    cdef size_t read_limit(self, const Head *head) noexcept:
        """How much of an answer's body is to be looked at; 0: nothing."""
        cdef Place place
        cdef size_t limit = 0
        for place in self.issued:
            limit = max(limit, place.read_limit(head))
        return limit

    cdef Found find_in_body(self, const char *data, size_t length, SessionId *id, uint32_t *lifetime_s) noexcept:
        """Look for an id in the beginning of an answer's body; `lifetime_s` is set where it tells its own."""
        cdef Place place
        cdef Found found
        cdef Found all = FOUND_NOTHING
        lifetime_s[0] = self.lifetime_s
        for place in self.issued:
            if place.source == SOURCE_OPEN_PACKET:
                found = find_open_packet(data, length, id, lifetime_s)
            else:
                found = place.find_in_body(data, length, id)
            if found == FOUND:
                return FOUND
            if found == FOUND_PART:
                all = FOUND_PART
        return all


cdef Found find_open_packet(const char *data, size_t length, SessionId *id, uint32_t *lifetime_s) noexcept:
    cdef Session session
    cdef Found found = read_open_packet(&session, data, length)
    if found == FOUND:
        memcpy(id.text, session.sid, session.sid_length)
        id.length = session.sid_length
        lifetime_s[0] = session.lifetime_s
    return found


cdef class AffinityPolicy:
    """`model` is a model_affinity.SessionAffinity."""

    def __init__(self, model):
        self.model = model
        self.asks = model.ask
        self.max_asked_body_bytes = model.max_asked_body_bytes
        self.least_sessions = model.least_sessions
        others = []
        for protocol in model.protocols:
            if any(place.source is IdSource.OPEN_PACKET for place in protocol.issued):
                self.engine_io = Protocol(protocol)
            else:
                others.append(Protocol(protocol))
        self.others = tuple(others)
        self.has_others = bool(others)

    cdef Protocol find_id(self, const RequestFacts *facts, const EngineIo *engine_io, Slice *id):
        """The protocol that a request belongs to; None when it belongs to none. `id`, until the next call, is empty
        when it carries none; then any of the others may be the one by which the answer issues an id."""
        cdef Protocol protocol
        id.length = 0
        if engine_io.is_engine_io and self.engine_io is not None:
            id[0] = engine_io.sid
            return self.engine_io
        if not self.has_others:
            return None
        for protocol in self.others:
            if protocol.find_returned(facts, &self.found):
                id[0] = Slice(<const char *> self.found.text, self.found.length)
                return protocol
        return self.others[0]


def policy_of(model):
    """The policy for a model_affinity.SessionAffinity; None when no session is looked for. Equal models share one."""
    return shared_policy(model) if model is not None and model.protocols else None


@lru_cache(maxsize=MAX_POLICIES)
def shared_policy(model):
    return AffinityPolicy(model)
