"""The packets in the body of an Engine.IO poll, counted as it passes."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef struct PayloadCursor:
    uint64_t left  # of a packet in protocol 3: bytes, or UTF-16 code units of a text; or its length so far
    uint32_t packets  # counted until now
    uint8_t state
    uint8_t digits  # of a length


cdef void payload_begin(PayloadCursor *cursor, bint has_lengths) noexcept nogil
cdef void payload_feed(PayloadCursor *cursor, const char *data, size_t length) noexcept nogil
cdef void payload_give_up(PayloadCursor *cursor) noexcept nogil
cdef bint payload_is_broken(const PayloadCursor *cursor) noexcept nogil
