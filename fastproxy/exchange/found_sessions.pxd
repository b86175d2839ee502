"""What the hosts that were asked for a session say, or do not say."""

from fastproxy.exchange.asking cimport Asking
from fastproxy.exchange.lost_sessions cimport Verdict
from fastproxy.exchange.questions cimport Search
from fastproxy.exchange.state cimport Exchange


cdef class FoundSessions(Asking):
    cdef int settle(self, Exchange x) except -1
    cdef int believe(self, Exchange x) except -1
    cdef bint is_last(self, Exchange x)
    cdef int remember_host(self, Exchange x) except -1
    cdef bint is_declined(self, Exchange x, Verdict verdict)
    cdef int accept(self, Exchange x) except -1
    cdef int found(self, Exchange x, Search search) except -1
    cdef int decline(self, Exchange x, bint is_whole) except -1
    cdef int ask_on(self, Exchange x, bint keeps_alive) except -1
    cdef int nobody_knows(self, Exchange x, bytes reason) except -1
