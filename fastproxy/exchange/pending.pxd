"""Requests that wait for a connection to their host, and those that may not even wait."""

from fastproxy.connections cimport Buffer
from fastproxy.counters cimport ClusterCounter
from fastproxy.exchange.state cimport Exchange
from fastproxy.exchange.upgrade cimport Upgrade
from fastproxy.syscalls cimport iovec


cdef class Pending(Upgrade):
    cdef bint may_connect(self, Exchange x, iovec *parts, int count)
    cdef int wait(self, Exchange x, iovec *parts, int count) except -1
    cdef Buffer *end_waiting(self, Exchange x)
    cdef int overflow(self, Exchange x, ClusterCounter counter) except -1
    cdef int answer_overflow(self, Exchange x) except -1
    cdef void start_response_timer(self, Exchange x) noexcept
