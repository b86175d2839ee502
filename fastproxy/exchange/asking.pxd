"""Whose session is it, when the table does not know? The hosts are asked."""

from libc.stdint cimport uint64_t

from fastproxy.exchange.lost_sessions cimport LostSessions, Verdict
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
    cdef void reply_limited(self, Exchange x, Search search)
    cdef void ask(self, Exchange x, Search search)
    cdef void gather(self, Exchange x, iovec *parts, int count)
    cdef Host other_host(self, Exchange x)
    cdef void take_host(self, Exchange x, Host host)
    cdef void send_held(self, Exchange x, Question question)
    cdef uint64_t answer_delay_ms(self, Exchange x) noexcept
    cdef void settle(self, Exchange x)
    cdef void believe(self, Exchange x)
    cdef bint is_last(self, Exchange x)
    cdef void remember_host(self, Exchange x)
    cdef bint is_declined(self, Exchange x, Verdict verdict)
    cdef void accept(self, Exchange x)
    cdef void found(self, Exchange x, Search search)
    cdef void decline(self, Exchange x, bint is_whole)
    cdef void ask_on(self, Exchange x, bint keeps_alive)
    cdef void nobody_knows(self, Exchange x, bytes reason)
    cdef void leave_upstream(self, Exchange x, bint keeps_alive)
