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

    cdef void relay_accepted(self, Connection *c, TcpProxy proxy)
    cdef void relay_event(self, Connection *connection, uint32_t events)
    cdef void relay_timer(self, Connection *connection)
    cdef void turn_relay_away(self, Connection *c, TcpProxy proxy)
    cdef void connect_relay(self, Connection *c, PendingRelay pending)
    cdef void relay_connect_failed(self, Connection *u)
    cdef bint next_relay_host(self, PendingRelay pending, TcpProxy proxy)
    cdef void relay_connected(self, Connection *u, uint32_t events)
    cdef void end_pending(self, Connection *c, uint64_t flags)
    cdef void end_relay(self, Tunnel *tunnel, uint64_t flags)
    cdef void drop_relay_upstream(self, Connection *u)
    cdef void close_relay(self, Connection *c)
    cdef void discard_relay(self, Connection *connection)
    cdef void log_relay(self, Connection *c, Host host, Tunnel *facts_of, uint64_t flags)
