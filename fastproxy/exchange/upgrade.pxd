"""From an exchange to a tunnel, and the end of the tunnel. The bytes between are tunnel.pyx's."""

from libc.stdint cimport uint64_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.state cimport Exchange
from fastproxy.tunnel cimport Tunnel
from fastproxy.exchange.relay cimport Relay


cdef class Upgrade(Relay):
    cdef int begin_tunnel(self, Exchange x, char *data, size_t length) except -1
    cdef void count_tunnel(self, Exchange x) noexcept
    cdef int become_tunnel(self, Exchange x, Connection *c, Connection *u, Tunnel *tunnel) except -1
    cdef void limit_tunnel(self, Exchange x, Tunnel *tunnel) noexcept
    cdef int cut_tunnel(self, Tunnel *tunnel, bint is_too_large) except -1
    cdef void free_place(self, Tunnel *tunnel) noexcept
    cdef int end_tunnel(self, Tunnel *tunnel, uint64_t flags) except -1
