"""The event loop of the data plane."""

from libc.stdint cimport uint64_t

from fastproxy.accepting cimport Accepting
from fastproxy.connections cimport Connection
from fastproxy.runtime cimport Runtime
from fastproxy.syscalls cimport epoll_event

cdef enum:
    BATCH = 256  # events taken from the kernel at a time


cdef class Engine(Accepting):
    cdef readonly Runtime runtime
    cdef epoll_event events[256]
    cdef readonly Runtime pending  # made ready, not in use
    cdef dict listeners  # by the number of the socket
    cdef list left_logs  # not in the configuration any more; a tunnel or exchange may still have a line for them
    cdef readonly object log
    cdef size_t told_idle_closed  # of which the log has told
    cdef size_t told_pauses
    cdef uint64_t tell_after_ms
    cdef bint is_measured  # since everything is open

    cdef void retire_kept(self, int count)
    cdef void dispatch(self, Connection *connection, int events)
    cdef void run_queue(self)
    cdef void run_timers(self)
    cdef void wake(self)
    cdef void stop(self, Connection *listener)
    cdef void expired(self, Connection *connection)
    cdef void fail(self, Connection *connection)
