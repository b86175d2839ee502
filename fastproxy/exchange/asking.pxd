"""Whose session is it, when the table does not know? The hosts are asked."""

from libc.stdint cimport uint64_t

from fastproxy.exchange.lost_sessions cimport LostSessions
from fastproxy.exchange.questions cimport Held, Question, Search
from fastproxy.exchange.search_limits cimport SearchLimits
from fastproxy.exchange.state cimport Exchange
from fastproxy.exchange.unknown_ids cimport UnknownIds
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Host


cdef class Asking(LostSessions):
    cdef UnknownIds unknown_ids
    cdef SearchLimits search_limits
    cdef Held held
    cdef object searches  # Search by its key, as long as somebody asks

    cdef int begin_asking(self) except -1
    cdef bint is_lost(self, Exchange x)
    cdef bint is_of_another_cluster(self, Exchange x)
    cdef bint is_given_up(self, Exchange x)
    cdef Search search_for(self, Exchange x, uint64_t key)
    cdef void give_back(self, Search search) noexcept
    cdef int reply_limited(self, Exchange x, Search search) except -1
    cdef int ask(self, Exchange x, Search search) except -1
    cdef int gather(self, Exchange x, iovec *parts, int count) except -1
    cdef Host other_host(self, Exchange x)
    cdef int take_host(self, Exchange x, Host host) except -1
    cdef int send_held(self, Exchange x, Question question) except -1
    cdef uint64_t answer_delay_ms(self, Exchange x) noexcept
