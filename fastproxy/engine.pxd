"""The event loop of the data plane."""

from fastproxy.connections cimport Connection, Connections
from fastproxy.exchange.exchanges cimport Exchanges
from fastproxy.runtime cimport Listener, Runtime
from fastproxy.syscalls cimport epoll_event

cdef enum:
    BATCH = 256  # events taken from the kernel at a time


cdef class Engine:
    cdef readonly Runtime runtime
    cdef Connections io
    cdef Exchanges exchanges_
    cdef epoll_event events[256]
    cdef readonly Runtime pending  # made ready, not in use
    cdef dict listeners  # by the number of the socket
    cdef list left_logs  # not in the configuration any more; a tunnel or exchange may still have a line for them
    cdef readonly object log

    cdef void retire_kept(self, int count)
    cdef void dispatch(self, Connection *connection, int events)
    cdef void run_queue(self)
    cdef void run_timers(self)
    cdef void accept(self, Connection *listener)
    cdef void serve(self, Connection *connection, Listener listener)
    cdef void pause_accepting(self, Connection *listener)
    cdef void wake(self)
    cdef void stop(self, Connection *listener)
    cdef void expired(self, Connection *connection)
    cdef void resume_accepting(self, Connection *listener)
    cdef void fail(self, Connection *connection)
