"""A TCP proxy filter as a worker uses it: which cluster takes a connection, and its limits."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.addresses cimport PeerAddress
from fastproxy.connection_gates cimport ConnectionGate
from fastproxy.upstream cimport Cluster


cdef class TcpRoute:
    cdef Cluster cluster
    cdef bytes destination_ranges
    cdef bytes source_ranges
    cdef bytes destination_ports
    cdef bytes source_ports

    cdef bint takes(self, const PeerAddress *local, const PeerAddress *remote) noexcept


cdef class TcpProxy:
    cdef readonly object model  # model.TcpProxy
    cdef readonly list access_logs
    cdef readonly list clusters
    cdef list weights
    cdef list routes
    cdef uint64_t total_weight
    cdef uint64_t *counters
    cdef uint64_t *listener_counters
    cdef uint64_t idle_timeout_ms
    cdef uint64_t max_duration_ms
    cdef uint32_t max_connect_attempts
    cdef bint hash_source_ip
    cdef readonly ConnectionGate gate  # None: as many connections as there may be

    cdef Cluster choose_cluster(self, int fd, const PeerAddress *remote, uint64_t random)
    cdef Cluster by_route(self, const PeerAddress *local, const PeerAddress *remote)
    cdef bint hash(self, const PeerAddress *remote, uint64_t *hash) noexcept
