"""The packets in the body of an Engine.IO poll, counted as it passes.

    40\x1e42["a"]               protocol 4: packets with a 0x1e between them
    2:406:42["a"]               protocol 3, a text: each behind the number of its UTF-16 code units
    0x00 0x02 0xff 40 0x01 ...  protocol 3, binary: each behind 0x00 (text) or 0x01, the digits of its bytes, and 0xff

(socketio/engine.io-protocol.) The forms of JSONP, of both protocols, are none of these.
"""

from libc.string cimport memchr

cdef enum PayloadState:
    SEPARATED_START
    SEPARATED
    KIND  # of a body with lengths: text or binary
    TEXT_LENGTH
    TEXT
    BINARY_KIND
    BINARY_LENGTH
    BINARY
    PAYLOAD_BROKEN

cdef enum:
    SEPARATOR = 0x1E
    END_OF_LENGTH = 0xFF
    MAX_DIGITS = 12
    TEXT_BLOCK = 96  # bytes of a text that are counted at once


# hot

cdef void payload_begin(PayloadCursor *cursor, bint has_lengths) noexcept nogil:
    """Stand before a body of protocol 3, which `has_lengths`, or of protocol 4."""
    cursor.left = cursor.packets = cursor.digits = 0
    cursor.state = KIND if has_lengths else SEPARATED_START


cdef void payload_feed(PayloadCursor *cursor, const char *data, size_t length) noexcept nogil:
    """Step over more of the body, which may be cut anywhere. Behind what cannot be one (`payload_is_broken`) nothing
    is counted any more. With lengths a packet counts at its end."""
    cdef const unsigned char *at = <const unsigned char *> data
    cdef const unsigned char *end = at + length
    while at < end and cursor.state != PAYLOAD_BROKEN:
        if cursor.state <= SEPARATED:
            count_separated(cursor, at, end)
            return
        if cursor.state == TEXT:
            at += pass_text(cursor, at, end - at)
        elif cursor.state == BINARY:
            at += pass_binary(cursor, end - at)
        else:
            read_prefix_byte(cursor, at[0])
            at += 1


cdef void payload_give_up(PayloadCursor *cursor) noexcept nogil:
    """The body cannot be read: it is as good as broken."""
    cursor.state = PAYLOAD_BROKEN


cdef bint payload_is_broken(const PayloadCursor *cursor) noexcept nogil:
    return cursor.state == PAYLOAD_BROKEN


cdef inline void count_separated(PayloadCursor *cursor, const unsigned char *at, const unsigned char *end) \
        noexcept nogil:
    """Protocol 4; the first packet begins with its type, or with `b` for base64."""
    if cursor.state == SEPARATED_START:
        if not c"0" <= at[0] <= c"6" and at[0] != c"b":
            cursor.state = PAYLOAD_BROKEN
            return
        cursor.state = SEPARATED
        cursor.packets = 1
    while True:
        at = <const unsigned char *> memchr(at, SEPARATOR, end - at)
        if at == NULL:
            return
        cursor.packets += 1
        at += 1


cdef inline size_t pass_text(PayloadCursor *cursor, const unsigned char *at, size_t length) noexcept nogil:
    """Step over some more of a text, as far as it goes for certain: a byte is one code unit, the first of four two, and
    the others of a character none."""
    cdef uint8_t units
    if length > cursor.left:
        length = cursor.left
    if length > TEXT_BLOCK:
        length = TEXT_BLOCK
    units = units_in(at, length)
    while units > cursor.left:  # no UTF-8: what comes first may end the packet all the same
        if length == 1:
            cursor.state = PAYLOAD_BROKEN
            return length
        length //= 2
        units = units_in(at, length)
    cursor.left -= units
    if cursor.left == 0:
        end_packet(cursor, TEXT_LENGTH)
    return length


cdef inline uint8_t units_in(const unsigned char *at, size_t length) noexcept nogil:
    cdef size_t i
    cdef uint8_t units = 0  # so that the compiler counts many at a time
    for i in range(length):
        units += ((at[i] & 0xC0) != 0x80) + (at[i] >= 0xF0)
    return units


cdef inline size_t pass_binary(PayloadCursor *cursor, size_t length) noexcept nogil:
    if length > cursor.left:
        length = cursor.left
    cursor.left -= length
    if cursor.left == 0:
        end_packet(cursor, BINARY_KIND)
    return length


cdef inline void end_packet(PayloadCursor *cursor, PayloadState next) noexcept nogil:
    cursor.packets += 1
    cursor.digits = 0
    cursor.state = next


cdef inline void read_prefix_byte(PayloadCursor *cursor, unsigned char byte) noexcept nogil:
    """One byte of what stands in front of a packet."""
    if cursor.state == KIND:
        cursor.state = BINARY_KIND if byte <= 1 else TEXT_LENGTH
    if cursor.state == BINARY_KIND:
        cursor.state = BINARY_LENGTH if byte <= 1 else PAYLOAD_BROKEN
    elif cursor.state == BINARY_LENGTH:
        if byte == END_OF_LENGTH:
            end_length(cursor, BINARY)
        else:
            read_digit(cursor, byte)
    elif byte == c":":
        end_length(cursor, TEXT)
    elif cursor.digits or byte & 0xC0 != 0x80 or not cursor.packets:  # else the rest of the character before
        read_digit(cursor, byte - c"0")


cdef inline void read_digit(PayloadCursor *cursor, unsigned char digit) noexcept nogil:
    if digit > 9 or cursor.digits == MAX_DIGITS:
        cursor.state = PAYLOAD_BROKEN
        return
    cursor.left = cursor.left * 10 + digit
    cursor.digits += 1


cdef inline void end_length(PayloadCursor *cursor, PayloadState next) noexcept nogil:
    cursor.state = next if cursor.left else PAYLOAD_BROKEN

# end hot


def packets(pieces, has_lengths):
    """`(packets, is_broken)` of a body in those pieces; `has_lengths`: of protocol 3."""
    cdef PayloadCursor cursor
    payload_begin(&cursor, has_lengths)
    for piece in pieces:
        payload_feed(&cursor, piece, len(piece))
    return cursor.packets, bool(payload_is_broken(&cursor))
