"""The packet by which an Engine.IO server opens a session, in every dress in which it is answered to a poll.

    0{"sid":...}                    protocol 4, a packet as it is; others follow behind a 0x1e
    97:0{"sid":...}2:40             protocol 3, behind the number of its characters; also with `b64=1`
    0x00 0x09 0x07 0xff 0{"sid":... protocol 3, binary, behind the digits of its length
    ___eio[0]("...");               JSONP of both, any of the above as a JavaScript string

(socketio/engine.io-protocol.) A packet in base64, `b...`, is a binary message and never opens a session.
"""

from libc.string cimport memcmp

from fastproxy.affinity cimport MAX_SID, is_plausible
from fastproxy.json_members cimport FOUND, FOUND_NOTHING, FOUND_PART, Member, next_member, string_end, unescape

cdef enum:
    DEFAULT_LIFETIME_S = 45  # Engine.IO's own defaults: pingInterval 25 s, pingTimeout 20 s
    MAX_LIFETIME_S = 86400
    MAX_PREFIX = 12  # of a packet in protocol 3
    MAX_INDEX = 20  # digits of a JSONP callback

cdef const char *JSONP = b"___eio["


cdef Found skip_length_prefix(const char **at, const char *end) noexcept nogil:
    """Step over what protocol 3 writes in front of a packet: `97:`, or 0x00, digits as bytes 0-9, 0xff for binary."""
    cdef const char *start = at[0]
    cdef bint binary = start[0] == 0
    if binary:
        at[0] += 1
    while at[0] < end and at[0] - start < MAX_PREFIX:
        if binary and <unsigned char> at[0][0] == 0xFF or not binary and at[0][0] == c":":
            at[0] += 1
            return FOUND
        if binary and not 0 <= at[0][0] <= 9 or not binary and not c"0" <= at[0][0] <= c"9":
            return FOUND_NOTHING
        at[0] += 1
    return FOUND_PART if at[0] == end else FOUND_NOTHING


cdef Found read_payload(Session *session, const char *at, const char *end) noexcept nogil:
    """Look for an open packet at the beginning of a polling answer."""
    cdef Found prefix
    if at == end:
        return FOUND_PART
    if at[0] != c"0" or (end - at > 1 and at[1] != c"{"):
        prefix = skip_length_prefix(&at, end)
        if prefix != FOUND:
            return prefix
    if at < end and at[0] != c"0" or end - at > 1 and at[1] != c"{":
        return FOUND_NOTHING
    return read_members(session, at + 2, end) if end - at > 1 else FOUND_PART


cdef Found skip_callback(const char **at, const char *end) noexcept nogil:
    """Step over `___eio[0]("`."""
    cdef size_t known = min(<size_t> (end - at[0]), <size_t> 7)
    cdef const char *start
    if memcmp(at[0], JSONP, known) != 0:
        return FOUND_NOTHING
    at[0] += known
    start = at[0]
    while at[0] < end and c"0" <= at[0][0] <= c"9" and at[0] - start < MAX_INDEX:
        at[0] += 1
    known = min(<size_t> (end - at[0]), <size_t> 3)
    if memcmp(at[0], b']("', known) != 0:
        return FOUND_NOTHING
    at[0] += known
    return FOUND if known == 3 else FOUND_PART


cdef Found read_jsonp(Session *session, const char *at, const char *end) noexcept nogil:
    """Look for an open packet in a string that is handed to a function; only when all of the string is there."""
    cdef char plain[2048]  # MAX_OPEN_PACKET
    cdef const char *stop
    cdef ssize_t length
    cdef Found found = skip_callback(&at, end)
    if found != FOUND:
        return found
    stop = string_end(at, end, c'"')
    if stop == NULL:
        return FOUND_PART
    length = unescape(at, stop, plain, sizeof(plain))
    if length < 0:
        return FOUND_NOTHING
    found = read_payload(session, plain, plain + length)
    return FOUND if found == FOUND else FOUND_NOTHING


cdef Found read_open_packet(Session *session, const char *data, size_t length) noexcept nogil:
    """Look for an open packet at the beginning of an answer to a poll."""
    cdef Found found
    session.sid_length = 0
    session.lifetime_s = 0
    if length and data[0] == c"_":
        found = read_jsonp(session, data, data + length)
    else:
        found = read_payload(session, data, data + length)
    if found == FOUND:
        if session.lifetime_s == 0:
            session.lifetime_s = DEFAULT_LIFETIME_S
        if session.lifetime_s > MAX_LIFETIME_S:
            session.lifetime_s = MAX_LIFETIME_S
    return found


cdef Found read_members(Session *session, const char *at, const char *end) noexcept nogil:
    """Read all members of the open packet's object; of those that stand twice the last counts, as in JavaScript."""
    cdef Member member
    cdef Found found
    cdef uint32_t interval_s = 0
    cdef uint32_t timeout_s = 0
    while True:
        found = next_member(&at, end, &member)
        if found != FOUND:
            break
        if is_named(&member, b"sid", 3):
            take_sid(session, &member)
        elif is_named(&member, b"pingInterval", 12):
            interval_s = seconds(&member)
        elif is_named(&member, b"pingTimeout", 11):
            timeout_s = seconds(&member)
    session.lifetime_s = interval_s + timeout_s
    if found == FOUND_NOTHING and at[0] == c"}" and session.sid_length:
        return FOUND
    return found


cdef inline bint is_named(const Member *member, const char *name, size_t length) noexcept nogil:
    return member.key.length == length and memcmp(member.key.data, name, length) == 0


cdef void take_sid(Session *session, const Member *member) noexcept nogil:
    cdef ssize_t length = -1
    if member.is_string:
        length = unescape(member.value.data, member.value.data + member.value.length, session.sid, MAX_SID)
    session.sid_length = length if length > 0 and is_plausible(session.sid, length) else 0


cdef uint32_t seconds(const Member *member) noexcept nogil:
    """A number of milliseconds, rounded up; 0 for anything else."""
    cdef uint32_t milliseconds = 0
    cdef size_t i
    cdef char digit
    for i in range(member.value.length):
        digit = member.value.data[i]
        if not c"0" <= digit <= c"9":
            break
        if milliseconds < 100000000:
            milliseconds = milliseconds * 10 + (digit - c"0")
    return 0 if member.is_string else (milliseconds + 999) // 1000


cdef Found read_first_frame(Session *session, const char *data, size_t length) noexcept nogil:
    """Look for an open packet in the first WebSocket frame of a server (RFC 6455 section 5.2): whole, a text, neither
    compressed nor masked."""
    cdef const unsigned char *frame = <const unsigned char *> data
    cdef size_t start = 2
    cdef size_t size
    if length < 4:
        return FOUND_PART if length == 0 or frame[0] == 0x81 else FOUND_NOTHING
    size = frame[1]
    if frame[0] != 0x81 or size > 126:
        return FOUND_NOTHING
    if size == 126:
        start = 4
        size = frame[2] << 8 | frame[3]
    if size == 0 or size > MAX_OPEN_PACKET:
        return FOUND_NOTHING
    if length < start + size:
        return FOUND_PART if length <= start or frame[start] == c"0" else FOUND_NOTHING
    return FOUND if read_open_packet(session, data + start, size) == FOUND else FOUND_NOTHING


def first_frame(data: bytes):
    """`open_packet` for the first bytes that a server sends through a WebSocket."""
    cdef Session session
    cdef Found found = read_first_frame(&session, data, len(data))
    if found == FOUND:
        return session.sid[:session.sid_length], session.lifetime_s
    return "incomplete" if found == FOUND_PART else None


def open_packet(data: bytes):
    """`(sid, lifetime_s)` when the bytes begin with an open packet, None when not, "incomplete" when more is needed."""
    cdef Session session
    cdef Found found = read_open_packet(&session, data, len(data))
    if found == FOUND:
        return session.sid[:session.sid_length], session.lifetime_s
    return "incomplete" if found == FOUND_PART else None
