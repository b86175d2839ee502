"""What Engine.IO writes on the wire about its sessions: the query of a request, the open packet of an answer."""

from libc.stdint cimport uint32_t

from fastproxy.slices cimport Slice

cdef enum:
    MAX_SID = 128
    MAX_OPEN_PACKET = 2048  # bytes of an answer that are looked at; an open packet has about 120

cdef enum OpenPacket:
    OPEN_PACKET_NONE  # this answer does not begin with one
    OPEN_PACKET_INCOMPLETE
    OPEN_PACKET_FOUND

cdef struct EngineIo:
    bint is_engine_io  # the query has `EIO`
    bint is_polling  # `transport=polling`
    Slice sid  # empty: none, or not a plausible one

cdef struct Session:
    Slice sid
    uint32_t lifetime_s  # pingInterval + pingTimeout


cdef void read_query(EngineIo *result, Slice target) noexcept nogil
cdef OpenPacket read_open_packet(Session *session, const char *data, size_t length) noexcept nogil
