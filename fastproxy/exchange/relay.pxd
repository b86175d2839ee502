"""The connections of TCP proxies, from accept over connect to tunnel, and their end."""

cimport cython
from libc.stdint cimport uint32_t, uint64_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.shedding cimport Shedding
from fastproxy.tcp_proxy cimport TcpProxy
from fastproxy.tunnel cimport Tunnel
from fastproxy.upstream cimport Cluster, Host


@cython.final
cdef class PendingRelay:
    cdef Cluster cluster
    cdef Host host
    cdef set tried  # places of hosts that could not be reached; None: none yet
    cdef uint64_t hash
    cdef uint64_t start_ms
    cdef Py_ssize_t choice
    cdef uint32_t attempts
    cdef bint has_hash


cdef class Relay(Shedding):
    cdef readonly size_t tunnels

    cdef int relay_accepted(self, Connection *c, TcpProxy proxy) except -1
    cdef int relay_event(self, Connection *connection, uint32_t events) except -1
    cdef int relay_timer(self, Connection *connection) except -1
    cdef int turn_relay_away(self, Connection *c, TcpProxy proxy) except -1
    cdef int connect_relay(self, Connection *c, PendingRelay pending) except -1
    cdef int relay_connect_failed(self, Connection *u) except -1
    cdef bint next_relay_host(self, PendingRelay pending, TcpProxy proxy)
    cdef int relay_connected(self, Connection *u, uint32_t events) except -1
    cdef int end_pending(self, Connection *c, uint64_t flags) except -1
    cdef int close_relays_to(self, set hosts) except -1
    cdef int end_relay(self, Tunnel *tunnel, uint64_t flags) except -1
    cdef int drop_relay_upstream(self, Connection *u) except -1
    cdef int close_relay(self, Connection *c) except -1
    cdef int discard_relay(self, Connection *connection) except -1
    cdef int log_relay(self, Connection *c, Host host, Tunnel *facts_of, uint64_t flags) except -1
