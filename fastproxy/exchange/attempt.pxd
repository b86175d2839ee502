"""Sending a request to a host, and on to the next one while it is certain that nothing was sent."""

from libc.stdint cimport uint64_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.state cimport Exchange
from fastproxy.syscalls cimport iovec
from fastproxy.exchange.pending cimport Pending
from fastproxy.upstream cimport Host


cdef class Attempt(Pending):
    cdef int attempt(self, Exchange x, iovec *parts, int count) except -1
    cdef Connection *kept_connection(self, Exchange x)
    cdef int serve_pending(self, Exchange x) except -1
    cdef void note_reuse(self, Exchange x) noexcept
    cdef void bind(self, Exchange x, Connection *u) noexcept
    cdef bint next_host(self, Exchange x)
    cdef Py_ssize_t place_behind(self, Exchange x)
    cdef int connect_failed(self, Exchange x, bytes reason) except -1
    cdef int retry_connect(self, Exchange x, bytes reason) except -1
    cdef int leave_upstream(self, Exchange x, bint keeps_alive) except -1
    cdef int drain_upstreams_to(self, set hosts) except -1
    cdef void request_complete(self, Exchange x) noexcept
    cdef uint64_t connect_delay_ms(self, Exchange x)
    cdef int send_more(self, Exchange x, iovec *parts, int count) except -1


cdef bint has_same_name(Host one, Host other)
