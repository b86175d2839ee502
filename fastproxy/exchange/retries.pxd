"""The tries of one request that its route may have sent again."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.connections cimport Buffer
from fastproxy.exchange.questions cimport Held
from fastproxy.http1 cimport Head
from fastproxy.retry_policies cimport RetryPolicy
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Host


cdef class Retries:
    cdef RetryPolicy policy
    cdef Held held
    cdef Buffer *request  # what has come of it, as it is sent; NULL: not kept, so that it goes out once
    cdef size_t counted_bytes  # of `held`
    cdef size_t head_bytes  # of `request`
    cdef size_t max_bytes  # of its body
    cdef uint32_t reasons  # 0: none, but tries may have an end
    cdef uint32_t left
    cdef object codes  # frozenset
    cdef tuple names  # of response headers that ask for another try
    cdef uint64_t try_timeout_ms  # 0: none
    cdef uint64_t idle_timeout_ms  # of a try; 0: none
    cdef uint64_t try_began_ms
    cdef uint64_t active_ms  # when the host was heard of last
    cdef set tried  # Hosts
    cdef object priorities  # PreviousPriorities; None: a try chooses among all as any request does
    cdef bint is_counted  # among the retries of the cluster that are under way
    cdef bint is_settled  # an answer goes to the client: there will be no other try

    cdef int obey(self, dict fields) except -1
    cdef bint keep(self, iovec *parts, int count, size_t payload)
    cdef void forget(self) noexcept
    cdef bint asks_again(self, Head *head) except -1
    cdef uint64_t ends_ms(self) noexcept
    cdef bytes head_of_try(self, uint32_t number, uint64_t expected_ms, bytes name)
    cdef int note_tried(self, Host host) except -1


cdef bytes renumbered(bytes head, bytes name, uint64_t number)
