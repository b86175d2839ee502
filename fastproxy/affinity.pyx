"""What Engine.IO clients write in the query of their requests.

The server mints `sid` in the first answer, the client echoes it in the query of every later request
(socketio/engine.io-protocol, versions 3 and 4). Only what a node issued is ever believed; what a client sends is only
looked up. Knows nothing of tables, hosts or connections.
"""

from libc.string cimport memchr, memcmp

from fastproxy.slices cimport Slice

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
    result.is_engine_io = result.is_polling = result.is_version_4 = False
    result.sid.length = 0
    while at != NULL and at < end:
        at += 1
        stop = <const char *> memchr(at, c"&", end - at)
        if stop == NULL:
            stop = end
        if stop - at > 4 and memcmp(at, b"EIO=", 4) == 0:
            result.is_engine_io = True
            result.is_version_4 = stop - at == 5 and at[4] == c"4"
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


def query(target: bytes):
    """`(is_engine_io, is_polling, sid)` of a request target."""
    cdef EngineIo result
    cdef Slice slice
    slice.data = target
    slice.length = len(target)
    read_query(&result, slice)
    sid = result.sid.data[:result.sid.length] if result.sid.length else b""
    return bool(result.is_engine_io), bool(result.is_polling), sid
