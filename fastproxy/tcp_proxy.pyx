"""A TCP proxy filter as a worker uses it: which cluster takes a connection, and its limits."""

from libc.stdint cimport uint16_t

import struct

from fastproxy._ring cimport xx_hash_64
from fastproxy.access_log import AccessLog
from fastproxy.addresses cimport format_ip, read_local_address
from fastproxy.filter_chains cimport Range, address_of, match_length, pack_ranges
from fastproxy.timers import milliseconds


cdef class TcpRoute:
    """A route of a v1 file: it takes connections that fit all four of its lists; an empty one fits every connection."""

    def __init__(self, model, clusters):
        self.cluster = clusters[model.cluster]
        self.destination_ranges = pack_ranges(model.destination_ip_list)
        self.source_ranges = pack_ranges(model.source_ip_list)
        self.destination_ports = pack_ports(model.destination_ports)
        self.source_ports = pack_ports(model.source_ports)

    cdef bint takes(self, const PeerAddress *local, const PeerAddress *remote) noexcept:
        return in_ranges(self.destination_ranges, local) and in_ports(self.destination_ports, local.port) \
            and in_ranges(self.source_ranges, remote) and in_ports(self.source_ports, remote.port)


cdef bytes pack_ports(pairs):
    return b"".join(struct.pack("=HH", first, last) for first, last in pairs)


cdef bint in_ranges(bytes packed, const PeerAddress *address) noexcept:
    cdef int count = <int> (len(packed) // sizeof(Range))
    return match_length(<const Range *> <const char *> packed, count, address) >= 0


cdef bint in_ports(bytes packed, uint16_t port) noexcept:
    cdef const uint16_t *ports = <const uint16_t *> <const char *> packed
    cdef Py_ssize_t i, count = len(packed) // sizeof(uint16_t)
    for i in range(0, count, 2):
        if ports[i] <= port <= ports[i + 1]:
            return True
    return count == 0


def log_of(model, logs):
    """The access log of that path, format and filter, out of `logs` or opened and kept there."""
    if model not in logs:
        logs[model] = AccessLog(model.path, model.format, model.filter)
    return logs[model]


cdef class TcpProxy:
    """One TCP proxy filter of one listener."""

    def __init__(self, model, layout, listener_index, row, clusters, logs):
        cdef uint64_t[::1] view = row
        self.model = model
        self.access_logs = [log_of(log, logs) for log in model.access_logs]
        self.clusters = [clusters[one.name] for one in model.clusters]
        self.weights = [one.weight for one in model.clusters]
        self.total_weight = sum(self.weights)
        self.routes = [TcpRoute(route, clusters) for route in model.routes]
        self.counters = &view[0] + <Py_ssize_t> layout.tcp(model.stat_prefix)
        self.listener_counters = &view[0] + <Py_ssize_t> layout.listener(listener_index)
        self.idle_timeout_ms = milliseconds(model.idle_timeout_s)
        self.max_duration_ms = milliseconds(model.max_downstream_connection_duration_s)
        self.max_connect_attempts = model.max_connect_attempts
        self.hash_source_ip = model.hash_source_ip

    def set_limits(self, maker):
        """Have the limit that the model asks for hold."""
        self.gate = maker.gate(self.model.connection_limit)

    def supersede(self):
        """Another configuration is in use: connections that stand need neither clusters nor routes of this one."""
        self.clusters = []
        self.routes = []

    cdef Cluster choose_cluster(self, int fd, const PeerAddress *remote, uint64_t random):
        """The cluster for an accepted connection, by the routes or else by the weights; None when no route takes it."""
        cdef PeerAddress local
        cdef uint64_t weight
        cdef Py_ssize_t i
        if self.routes:
            read_local_address(&local, fd)
            return self.by_route(&local, remote)
        random %= self.total_weight or 1
        for i in range(len(self.clusters)):
            weight = self.weights[i]
            if random < weight:
                return <Cluster> self.clusters[i]
            random -= weight
        return None

    cdef Cluster by_route(self, const PeerAddress *local, const PeerAddress *remote):
        cdef TcpRoute route
        for route in self.routes:
            if route.takes(local, remote):
                return route.cluster
        return None

    cdef bint hash(self, const PeerAddress *remote, uint64_t *hash) noexcept:
        """The hash of the client's IP; False when it is not wanted, or there is none."""
        cdef char ip[48]
        cdef int length
        if not self.hash_source_ip:
            return False
        length = format_ip(remote, ip, sizeof(ip))
        if length:
            hash[0] = xx_hash_64(ip, length, 0)
        return length > 0

    def choose_py(self, local, remote, random=0):
        """The name of the cluster for these addresses, pairs of an IP as text and a port; None: no route."""
        cdef PeerAddress here = address_of(local)
        cdef PeerAddress there = address_of(remote)
        cdef Cluster found = self.by_route(&here, &there) if self.routes else self.choose_cluster(-1, &there, random)
        return None if found is None else found.model.name
