"""What follows a 101, or the connect of a TCP proxy: bytes in both directions, until one side or a timer ends it."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from fastproxy.addresses cimport PeerAddress
from fastproxy.connections cimport Connection, Connections
from fastproxy.frames cimport FrameCursor
from fastproxy.tunnel_meters cimport TunnelMeter

cdef enum TunnelState:
    TUNNEL_GOES_ON
    TUNNEL_ENDED_BY_DOWNSTREAM
    TUNNEL_ENDED_BY_UPSTREAM
    TUNNEL_TOO_FAST  # what its client sends is beyond its limits
    TUNNEL_TOO_LARGE
    TUNNEL_SILENT  # nothing has passed for too long
    TUNNEL_FREES_PLACE  # it goes on, but counts no longer among those of its key
    TUNNEL_SHOWS  # what a node with AWAITS_OPEN_PACKET has sent is in the read buffer: tunnel_carry takes it on

cdef struct Tunnel:
    Connection *downstream
    Connection *upstream
    uint64_t *host_counters
    uint64_t *route_counters  # not of a TCP proxy
    FrameCursor from_client  # of a TCP proxy: not used
    FrameCursor from_host
    void *records[4]  # of the access logs, NULL where nothing is logged
    uint64_t start_ms
    uint64_t bytes_received  # from downstream
    uint64_t bytes_sent  # to downstream
    uint64_t idle_timeout_ms
    TunnelMeter *meter  # owned; NULL: its client may send what it likes
    int64_t hold  # where it is counted among those of its key, and 1; 0: nowhere
    int affinity  # why it goes where it goes; of affinity_policy
    bint upstream_ended_first
    bint is_cut  # the client was told why, and has to have the time to read it
    bint is_left  # one side is gone; the other takes what waits for it
    bint is_relay  # of a TCP proxy, not behind a 101
    uint32_t shown_bytes  # of TUNNEL_SHOWS
    PeerAddress client  # as far as it is trusted


cdef TunnelState tunnel_event(Connections io, Connection *connection, uint32_t events) noexcept nogil
cdef TunnelState tunnel_timer(Connections io, Tunnel *tunnel) noexcept nogil
cdef TunnelState tunnel_read(Connections io, Connection *connection) noexcept nogil
cdef TunnelState tunnel_carry(Connections io, Connection *connection, uint32_t events) noexcept nogil
cdef uint64_t count_packets(Tunnel *tunnel, bint from_host, const char *data, size_t length) noexcept nogil
cdef TunnelState tunnel_meter(Connections io, Tunnel *tunnel, uint64_t packets, size_t got) noexcept nogil
cdef void tunnel_resume(Connections io, Tunnel *tunnel) noexcept nogil
