"""How long the body of a message is, and what of it is payload (RFC 9112 sections 6 and 7)."""

from libc.stdint cimport uint64_t

cdef enum Framing:
    FRAMING_NONE
    FRAMING_LENGTH
    FRAMING_CHUNKED
    FRAMING_UNTIL_CLOSE

cdef struct Body:
    int framing
    int state  # of the chunk scanner
    bint done
    uint64_t left  # bytes of the body, or of the chunk at hand
    uint64_t overhead  # bytes of extensions and trailers so far


cdef void body_init(Body *body, Framing framing, uint64_t length) noexcept nogil
cdef ssize_t body_take(Body *body, char *data, size_t length, size_t *payload) noexcept nogil
