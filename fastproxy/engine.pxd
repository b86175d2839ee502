"""The event loop of the data plane."""

from libc.stdint cimport uint32_t, uint64_t

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
    cdef uint64_t worked_ms  # when `work` last returned
    cdef bint is_called  # there is something to read for the caller
    cdef bint is_measured  # since everything is open

    cdef bint take_batch(self, int wait_ms) except -1
    cdef int retire_kept(self, int count) except -1
    cdef int dispatch(self, int first, int end) except -1
    cdef int handle(self, Connection *connection, uint32_t events) except -1
    cdef int run_queue(self) except -1
    cdef int run_timers(self) except -1
    cdef int wake(self) except -1
    cdef int stop(self, Connection *listener) except -1
    cdef int expired(self, Connection *connection) except -1
    cdef int fail(self, Connection *connection) except -1
