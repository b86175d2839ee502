"""What is said of a session that is lost: by a host, and by the proxy in its place."""

from fastproxy.bodies cimport Framing
from fastproxy.connections cimport Connection
from fastproxy.counters cimport HttpCounter
from fastproxy.exchange.first_frames cimport FirstFrames
from fastproxy.exchange.state cimport Exchange

cdef enum Verdict:  # on an answer
    VERDICT_OTHER  # it does not say that the session is lost
    VERDICT_OPEN  # more of it is needed
    VERDICT_REFUSED  # a handshake: it may say so
    VERDICT_LOST
    VERDICT_LOST_WHOLE  # and the answer has come to its end


cdef class LostSessions(FirstFrames):
    cdef object loss_log  # LossLog

    cdef Verdict judge(self, Exchange x, Connection *u, Framing framing, char *data, size_t length)
    cdef int lost_by_host(self, Exchange x) except -1
    cdef int reply_host_gone(self, Exchange x) except -1
    cdef int reply_connect_failed(self, Exchange x) except -1
    cdef int reply_lost(self, Exchange x, HttpCounter counter) except -1
    cdef int tell(self, Exchange x, str what) except -1
