"""What follows a 101, or the connect of a TCP proxy: bytes in both directions, until one side or a timer ends it."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.addresses cimport PeerAddress
from fastproxy.connections cimport Connection, Connections
from fastproxy.frames cimport FrameCursor

cdef enum TunnelState:
    TUNNEL_GOES_ON
    TUNNEL_ENDED_BY_DOWNSTREAM
    TUNNEL_ENDED_BY_UPSTREAM

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
    int affinity  # why it goes where it goes; of affinity_policy
    bint upstream_ended_first
    bint is_relay  # of a TCP proxy, not behind a 101
    PeerAddress client  # as far as it is trusted


cdef TunnelState tunnel_event(Connections io, Connection *connection, uint32_t events) noexcept nogil
cdef TunnelState tunnel_read(Connections io, Connection *connection) noexcept nogil
cdef void count_packets(Tunnel *tunnel, bint from_host, const char *data, size_t length) noexcept nogil
