"""WebSocket messages, counted as their frames pass (RFC 6455 section 5.2): the payload is stepped over, never read."""

from libc.stdint cimport uint8_t, uint64_t

cdef struct FrameCursor:  # zeroed, it stands before the first frame of a direction
    uint64_t left  # bytes of the frame at hand, its masking key included, that have not passed; or its length so far
    uint64_t message_bytes  # payload that the frames of the message begun last have announced
    uint64_t largest_bytes  # the most that a message has announced
    uint8_t state
    uint8_t length_bytes  # of a long length, that have not passed
    uint8_t has_mask  # these four are truth values
    uint8_t in_message  # one of several frames is under way
    uint8_t is_control  # the frame at hand
    uint8_t is_final


cdef size_t frames_feed(FrameCursor *cursor, const char *data, size_t length) noexcept nogil
cdef bint frames_are_between(const FrameCursor *cursor) noexcept nogil
cdef bint frames_are_broken(const FrameCursor *cursor) noexcept nogil
