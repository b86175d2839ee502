"""Sessions that begin as a WebSocket: their open packet is the first message."""

from fastproxy.connections cimport Connection
from fastproxy.exchange.sessions cimport Sessions
from fastproxy.exchange.state cimport Exchange
from fastproxy.open_packets cimport Session


cdef class FirstFrames(Sessions):
    cdef int look_at_shown(self, Connection *u) except -1
    cdef int look_at(self, Connection *u, Exchange x, char *data, size_t length) except -1
    cdef int opened(self, Connection *u, Exchange x, Session *session) except -1
    cdef int stop_looking(self, Connection *u) except -1
