"""What Engine.IO writes on the wire about its sessions: the query of a request, the open packet of an answer.

The server mints `sid` in the first answer, the client echoes it in the query of every later request
(socketio/engine.io-protocol, versions 3 and 4). Only what a node issued is ever believed; what a client sends is only
looked up. Knows nothing of tables, hosts or connections.
"""

from libc.string cimport memchr, memcmp

from fastproxy.slices cimport Slice

cdef enum:
    DEFAULT_LIFETIME_S = 45  # Engine.IO's own defaults: pingInterval 25 s, pingTimeout 20 s
    MAX_LIFETIME_S = 86400


# hot

cdef inline bint is_sid_byte(unsigned char c) noexcept nogil:
    if c"0" <= c <= c"9" or c"A" <= c <= c"Z" or c"a" <= c <= c"z":
        return True
    return c == c"-" or c == c"_" or c == c"." or c == c"~"


cdef bint is_plausible(const char *sid, size_t length) noexcept nogil:
    """Whether a session id could have been issued: 1 to MAX_SID bytes that no query escapes (RFC 3986 unreserved)."""
    cdef size_t i
    if length == 0 or length > MAX_SID:
        return False
    for i in range(length):
        if not is_sid_byte(sid[i]):
            return False
    return True


cdef void read_query(EngineIo *result, Slice target) noexcept nogil:
    """Find Engine.IO's parameters in a request target. A `sid` that stands twice counts as none."""
    cdef const char *end = target.data + target.length
    cdef const char *at = <const char *> memchr(target.data, c"?", target.length)
    cdef const char *stop
    cdef int sids = 0
    result.is_engine_io = result.is_polling = False
    result.sid.length = 0
    while at != NULL and at < end:
        at += 1
        stop = <const char *> memchr(at, c"&", end - at)
        if stop == NULL:
            stop = end
        if stop - at > 4 and memcmp(at, b"EIO=", 4) == 0:
            result.is_engine_io = True
        elif stop - at == 17 and memcmp(at, b"transport=polling", 17) == 0:
            result.is_polling = True
        elif stop - at >= 4 and memcmp(at, b"sid=", 4) == 0:
            sids += 1
            result.sid.data = at + 4
            result.sid.length = stop - at - 4
        at = stop
    if sids != 1 or not is_plausible(result.sid.data, result.sid.length):
        result.sid.length = 0

# end hot


cdef OpenPacket skip_length_prefix(const char **at, const char *end) noexcept nogil:
    """Step over what EIO 3 writes in front of a packet: `97:`, or 0x00, digits as bytes 0-9, 0xff for binary."""
    cdef const char *start = at[0]
    cdef bint binary = start[0] == 0
    if binary:
        at[0] += 1
    while at[0] < end and at[0] - start < 12:
        if binary and <unsigned char> at[0][0] == 0xFF or not binary and at[0][0] == c":":
            at[0] += 1
            return OPEN_PACKET_FOUND
        if binary and not 0 <= at[0][0] <= 9 or not binary and not c"0" <= at[0][0] <= c"9":
            return OPEN_PACKET_NONE
        at[0] += 1
    return OPEN_PACKET_INCOMPLETE if at[0] == end else OPEN_PACKET_NONE


cdef OpenPacket read_open_packet(Session *session, const char *data, size_t length) noexcept nogil:
    """Look for an open packet at the beginning of a polling answer; the sid in `session` borrows from `data`."""
    cdef const char *at = data
    cdef const char *end = data + length
    cdef OpenPacket prefix
    session.sid.length = 0
    session.lifetime_s = 0
    if length == 0:
        return OPEN_PACKET_INCOMPLETE
    if at[0] != c"0" or (length > 1 and at[1] != c"{"):
        prefix = skip_length_prefix(&at, end)
        if prefix != OPEN_PACKET_FOUND:
            return prefix
    if end - at < 2:
        return OPEN_PACKET_INCOMPLETE
    if at[0] != c"0" or at[1] != c"{":
        return OPEN_PACKET_NONE
    prefix = read_members(session, at + 2, end)
    if prefix == OPEN_PACKET_FOUND:
        if not is_plausible(session.sid.data, session.sid.length):
            return OPEN_PACKET_NONE
        if session.lifetime_s == 0:
            session.lifetime_s = DEFAULT_LIFETIME_S
        if session.lifetime_s > MAX_LIFETIME_S:
            session.lifetime_s = MAX_LIFETIME_S
    return prefix


cdef const char *string_end(const char *at, const char *end) noexcept nogil:
    """The closing quote of a JSON string whose first byte is `at`; NULL when it is not there."""
    while at < end:
        if at[0] == c"\\":
            at += 1
        elif at[0] == c'"':
            return at
        at += 1
    return NULL


cdef OpenPacket read_members(Session *session, const char *at, const char *end) noexcept nogil:
    """Read the members of the open packet's JSON object; only those on its own level count."""
    cdef int depth = 1
    cdef Slice key, text
    cdef uint32_t milliseconds = 0
    cdef const char *stop
    key.length = 0
    while at < end:
        if at[0] == c'"':
            stop = string_end(at + 1, end)
            if stop == NULL:
                return OPEN_PACKET_INCOMPLETE
            text.data = at + 1
            text.length = stop - at - 1
            at = stop
            if depth == 1 and key.length == 0:
                key = text
            elif depth == 1 and key.length == 3 and memcmp(key.data, b"sid", 3) == 0:
                session.sid = text
        elif at[0] == c"," and depth == 1:
            add_interval(session, key, milliseconds)
            key.length = 0
            milliseconds = 0
        elif c"0" <= at[0] <= c"9" and depth == 1:
            if milliseconds < 100000000:
                milliseconds = milliseconds * 10 + (at[0] - 48)
        elif at[0] == c"{" or at[0] == c"[":
            depth += 1
        elif at[0] == c"}" or at[0] == c"]":
            depth -= 1
            if depth == 0:
                add_interval(session, key, milliseconds)
                return OPEN_PACKET_FOUND if session.sid.length else OPEN_PACKET_NONE
        at += 1
    return OPEN_PACKET_INCOMPLETE


cdef void add_interval(Session *session, Slice key, uint32_t milliseconds) noexcept nogil:
    if (key.length == 12 and memcmp(key.data, b"pingInterval", 12) == 0
            or key.length == 11 and memcmp(key.data, b"pingTimeout", 11) == 0):
        session.lifetime_s += (milliseconds + 999) // 1000


def query(target: bytes):
    """`(is_engine_io, is_polling, sid)` of a request target."""
    cdef EngineIo result
    cdef Slice slice
    slice.data = target
    slice.length = len(target)
    read_query(&result, slice)
    sid = result.sid.data[:result.sid.length] if result.sid.length else b""
    return bool(result.is_engine_io), bool(result.is_polling), sid


def open_packet(data: bytes):
    """`(sid, lifetime_s)` when the bytes begin with an open packet, None when not, "incomplete" when more is needed."""
    cdef Session session
    cdef OpenPacket found = read_open_packet(&session, data, len(data))
    if found == OPEN_PACKET_FOUND:
        return session.sid.data[:session.sid.length], session.lifetime_s
    return "incomplete" if found == OPEN_PACKET_INCOMPLETE else None
