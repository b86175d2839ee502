"""Requests that are sent again as their routes' policies say."""

from libc.stdint cimport int64_t, uint32_t

from fastproxy.connections cimport Connection
from fastproxy.exchange.other_hosts cimport OtherHosts
from fastproxy.exchange.state cimport Exchange
from fastproxy.heads cimport RequestHead
from fastproxy.request_facts cimport RequestFacts
from fastproxy.syscalls cimport iovec


cdef class Retrying(OtherHosts):
    cdef int begin_retries(self, Exchange x, const RequestFacts *facts, RequestHead *plan, dict fields) except -1
    cdef int keep_for_retries(self, Exchange x, iovec *parts, int count) except -1
    cdef bint is_retried(self, Exchange x, uint32_t reasons)
    cdef bint is_reset_retried(self, Exchange x)
    cdef bint is_answer_retried(self, Exchange x, bint is_whole)
    cdef bint may_have_begun(self, Exchange x) noexcept
    cdef bint takes_retry(self, Exchange x) noexcept
    cdef void end_retry(self, Exchange x) noexcept
    cdef int settle_retries(self, Exchange x) except -1
    cdef int retry_later(self, Exchange x, int64_t stated_ms) except -1
    cdef int retry_now(self, Exchange x) except -1
    cdef int send_again(self, Exchange x) except -1
    cdef void start_try_timer(self, Exchange x) noexcept
    cdef void set_try_timer(self, Exchange x) noexcept
    cdef int try_is_late(self, Exchange x) except -1
    cdef int response_is_late(self, Exchange x) except -1
