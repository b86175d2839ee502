"""The packet by which an Engine.IO server opens a session, in every dress in which it is answered to a poll."""

from libc.stdint cimport uint32_t

from fastproxy.json_members cimport Found

cdef enum:
    MAX_OPEN_PACKET = 2048  # bytes of an answer that are looked at; an open packet has about 120

cdef struct Session:
    char sid[128]  # MAX_SID
    size_t sid_length
    uint32_t lifetime_s  # pingInterval + pingTimeout


cdef Found read_first_frame(Session *session, const char *data, size_t length) noexcept nogil
cdef Found read_open_packet(Session *session, const char *data, size_t length) noexcept nogil
