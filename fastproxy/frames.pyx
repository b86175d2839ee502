"""WebSocket messages, counted as their frames pass (RFC 6455 section 5.2): the payload is stepped over, never read.

What an extension may change is not judged: its bits beside the opcode, and whose frames are masked. What leaves no
doubt where a frame ends is not, either.
"""

cdef enum FrameState:
    FRAME_OPCODE
    FRAME_LENGTH
    FRAME_LONG_LENGTH
    FRAME_PAYLOAD  # behind the masking key, which is stepped over with it
    FRAMES_BROKEN

cdef enum:
    FINAL = 0x80
    MASKED = 0x80
    CONTROL = 0x08
    CONTINUATION = 0
    BINARY = 2
    PONG = 10
    LENGTH_16 = 126
    MASK_BYTES = 4


# hot

cdef size_t frames_feed(FrameCursor *cursor, const char *data, size_t length) noexcept nogil:
    """Step over more bytes of one direction: how many messages, of text or binary, end in them.

    Frames may be cut anywhere. Behind a frame that cannot be one (`frames_are_broken`) nothing is counted any more.
    """
    cdef const unsigned char *at = <const unsigned char *> data
    cdef const unsigned char *end = at + length
    cdef size_t messages = 0
    cdef size_t passing
    while at < end and cursor.state != FRAMES_BROKEN:
        if cursor.state == FRAME_PAYLOAD:
            passing = end - at
            if passing > cursor.left:
                passing = cursor.left
            at += passing
            cursor.left -= passing
        else:
            read_head_byte(cursor, at[0])
            at += 1
        if cursor.state == FRAME_PAYLOAD and cursor.left == 0:
            cursor.state = FRAME_OPCODE
            if cursor.is_final and not cursor.is_control:
                messages += 1
    return messages


cdef bint frames_are_between(const FrameCursor *cursor) noexcept nogil:
    """Whether another frame may stand here: a control frame, or the next one of a message."""
    return cursor.state == FRAME_OPCODE


cdef bint frames_are_broken(const FrameCursor *cursor) noexcept nogil:
    return cursor.state == FRAMES_BROKEN


cdef inline void read_head_byte(FrameCursor *cursor, unsigned char byte) noexcept nogil:
    """One byte in front of a frame's masking key and payload."""
    if cursor.state == FRAME_OPCODE:
        begin_frame(cursor, byte & 15, byte & FINAL)
    elif cursor.state == FRAME_LENGTH:
        cursor.has_mask = byte & MASKED
        read_length(cursor, byte & ~MASKED)
    else:
        cursor.left = cursor.left << 8 | byte
        cursor.length_bytes -= 1
        if cursor.length_bytes == 0:
            begin_payload(cursor)


cdef inline void begin_frame(FrameCursor *cursor, int opcode, bint is_final) noexcept nogil:
    """Only control frames may stand between the frames of a message, and only whole."""
    cursor.is_control = opcode & CONTROL
    cursor.is_final = is_final
    cursor.state = FRAME_LENGTH
    if cursor.is_control:
        if opcode > PONG or not is_final:
            cursor.state = FRAMES_BROKEN
    elif opcode > BINARY or cursor.in_message != (opcode == CONTINUATION):
        cursor.state = FRAMES_BROKEN
    else:
        cursor.in_message = not is_final
        if opcode != CONTINUATION:
            cursor.message_bytes = 0


cdef inline void read_length(FrameCursor *cursor, int length) noexcept nogil:
    if length < LENGTH_16:
        cursor.left = length
        begin_payload(cursor)
    elif cursor.is_control:
        cursor.state = FRAMES_BROKEN
    else:
        cursor.left = 0
        cursor.length_bytes = 2 if length == LENGTH_16 else 8
        cursor.state = FRAME_LONG_LENGTH


cdef inline void begin_payload(FrameCursor *cursor) noexcept nogil:
    """The length of the frame is known."""
    if cursor.left >> 63:
        cursor.state = FRAMES_BROKEN
        return
    if not cursor.is_control:
        cursor.message_bytes += cursor.left
        if cursor.message_bytes > cursor.largest_bytes:
            cursor.largest_bytes = cursor.message_bytes
    if cursor.has_mask:
        cursor.left += MASK_BYTES
    cursor.state = FRAME_PAYLOAD

# end hot


def messages(pieces):
    """`(counts, message_bytes, is_broken)`: how many messages end in each piece of one direction's bytes, what the
    last one has announced, and whether the frames are broken."""
    cdef FrameCursor cursor = FrameCursor(0, 0, 0, 0, 0, False, False, False, False)
    counts = [frames_feed(&cursor, piece, len(piece)) for piece in pieces]
    return counts, cursor.message_bytes, bool(frames_are_broken(&cursor))
