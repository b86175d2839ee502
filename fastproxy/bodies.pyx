"""How long the body of a message is, and what of it is payload (RFC 9112 sections 6 and 7).

Counted in C where the bytes lie: bodies never become Python objects.
"""

from libc.string cimport memmove, memset

cdef enum ChunkState:
    CHUNK_SIZE
    CHUNK_SIZE_NEXT
    CHUNK_SIZE_SPACE
    CHUNK_EXTENSION
    CHUNK_SIZE_LF
    CHUNK_DATA
    CHUNK_DATA_CR
    CHUNK_DATA_LF
    TRAILER_START
    TRAILER_NAME
    TRAILER_VALUE
    TRAILER_LF
    TRAILER_END_LF


cdef enum:
    MAX_CHUNK_OVERHEAD = 65536  # bytes of one message that say nothing: extensions, trailers, zeros before a size
    BAD_BODY = -1

cdef signed char HEX[256]
cdef bint IN_TOKEN[256]  # may stand in the name of a trailer (RFC 9110 section 5.6.2)
cdef bint IN_TEXT[256]  # may stand in an extension or in the value of a trailer (RFC 9110 section 5.5)


cdef int fill_tables() except -1:
    cdef int i
    memset(HEX, -1, sizeof(HEX))
    for i in range(10):
        HEX[48 + i] = i
    for i in range(6):
        HEX[65 + i] = HEX[97 + i] = 10 + i
    for i in b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ":
        IN_TOKEN[i] = True
    for i in range(32, 256):
        IN_TEXT[i] = i != 127
    IN_TEXT[9] = True


fill_tables()


# hot

cdef void body_init(Body *body, Framing framing, uint64_t length) noexcept nogil:
    """A body of that framing; `length` counts for FRAMING_LENGTH."""
    body.framing = framing
    body.state = CHUNK_SIZE
    body.left = length if framing == FRAMING_LENGTH else 0
    body.overhead = 0
    body.done = framing == FRAMING_NONE or (framing == FRAMING_LENGTH and length == 0)


cdef ssize_t body_take(Body *body, char *data, size_t length, size_t *payload) noexcept nogil:
    """Take the body's part of `data`: how many bytes belong to it, or BAD_BODY.

    The payload, without chunk sizes, stands at the beginning of `data` afterwards, `payload` bytes long.
    `body.done` tells when the body has ended; what follows belongs to the next message.
    """
    if body.framing == FRAMING_CHUNKED:
        return take_chunks(body, data, length, payload)
    if body.framing == FRAMING_LENGTH:
        if length > body.left:
            length = body.left
        body.left -= length
        body.done = body.left == 0
    elif body.framing == FRAMING_NONE:
        length = 0
    payload[0] = length
    return length


cdef ssize_t take_chunks(Body *body, char *data, size_t length, size_t *payload) noexcept nogil:
    """The chunk scanner (RFC 9112 section 7.1). Line ends are CRLF; extensions and trailers are dropped and bounded."""
    cdef char *at = data
    cdef char *end = data + length
    cdef char *target = data
    cdef size_t size
    payload[0] = 0
    while at < end:
        if body.state == CHUNK_DATA:
            size = end - at
            if size > body.left:
                size = body.left
            if target != at:
                memmove(target, at, size)
            target += size
            at += size
            body.left -= size
            if body.left == 0:
                body.state = CHUNK_DATA_CR
            continue
        if scan_chunk_byte(body, at[0]) < 0:
            return BAD_BODY
        at += 1
        if body.done:
            break
    payload[0] = target - data
    return at - data


cdef int scan_chunk_byte(Body *body, char byte) noexcept nogil:
    """One byte outside of a chunk's data; BAD_BODY when it may not stand there."""
    if body.state <= CHUNK_SIZE_SPACE:
        return scan_size(body, byte)
    if body.state == CHUNK_EXTENSION or body.state == TRAILER_NAME or body.state == TRAILER_VALUE:
        return scan_dropped(body, byte)
    if body.state == CHUNK_DATA_CR:
        body.state = CHUNK_DATA_LF
        return 0 if byte == c"\r" else BAD_BODY
    if body.state == TRAILER_START:
        body.state = TRAILER_END_LF if byte == c"\r" else TRAILER_NAME
        return 0 if byte == c"\r" or IN_TOKEN[<unsigned char> byte] else BAD_BODY
    if byte != c"\n":
        return BAD_BODY
    if body.state == CHUNK_SIZE_LF:
        body.state = CHUNK_DATA if body.left else TRAILER_START
    elif body.state == CHUNK_DATA_LF:
        body.state = CHUNK_SIZE
    elif body.state == TRAILER_LF:
        body.state = TRAILER_START
    else:
        body.done = True
    return 0


cdef int scan_size(Body *body, char byte) noexcept nogil:
    """A chunk's size; white space behind it only before an extension."""
    cdef int digit = HEX[<unsigned char> byte]
    if digit >= 0 and body.state != CHUNK_SIZE_SPACE:
        if body.left >> 56:
            return BAD_BODY
        body.left = body.left << 4 | digit
        body.state = CHUNK_SIZE_NEXT
        return count_overhead(body) if body.left == 0 else 0
    if body.state == CHUNK_SIZE:
        return BAD_BODY
    if byte == c";":
        body.state = CHUNK_EXTENSION
    elif byte == c"\r" and body.state != CHUNK_SIZE_SPACE:
        body.state = CHUNK_SIZE_LF
    elif byte == c" " or byte == c"\t":
        body.state = CHUNK_SIZE_SPACE
        return count_overhead(body)
    else:
        return BAD_BODY
    return 0


cdef int scan_dropped(Body *body, char byte) noexcept nogil:
    """An extension or a trailer line, which must be well formed although nothing is made of it."""
    cdef unsigned char index = byte
    if byte == c"\r" and body.state != TRAILER_NAME:
        body.state = CHUNK_SIZE_LF if body.state == CHUNK_EXTENSION else TRAILER_LF
    elif body.state == TRAILER_NAME and byte == c":":
        body.state = TRAILER_VALUE
    elif not (IN_TOKEN[index] if body.state == TRAILER_NAME else IN_TEXT[index]):
        return BAD_BODY
    return count_overhead(body)


cdef inline int count_overhead(Body *body) noexcept nogil:
    body.overhead += 1
    return 0 if body.overhead <= MAX_CHUNK_OVERHEAD else BAD_BODY

# end hot
