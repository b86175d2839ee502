"""Sec-WebSocket-Key and the Sec-WebSocket-Accept that answers it (RFC 6455 section 4.2.2)."""

cdef enum:
    KEY_BYTES = 24  # 16 bytes in base64
    ACCEPT_BYTES = 28  # a SHA-1 in base64

cdef bint write_accept(const char *key, char *accept) noexcept nogil
