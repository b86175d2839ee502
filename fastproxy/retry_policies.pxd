"""When a request is sent again, compiled: which failures and which answers are a reason, and how long to wait."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from fastproxy.http1 cimport Head
from fastproxy.request_facts cimport RequestFacts

cdef enum Reason:
    ON_5XX = 1
    ON_GATEWAY_ERROR = 2
    ON_RESET = 4
    ON_RESET_BEFORE_REQUEST = 8
    ON_CONNECT_FAILURE = 16
    ON_4XX = 32
    ON_STATUS_CODES = 64
    ON_HEADERS = 128
    ON_RATE_LIMITED = 256
    ON_GRPC = 512  # shifted left by a status of gRPC, which are 16

    # what it takes for a failure of each kind to be a reason
    RESETS = 1 | 2 | 4
    CONNECT_FAILURES = 1 | 2 | 4 | 8 | 16


cdef class RetryPolicy:
    cdef readonly object model  # model_routes.RetryPolicy
    cdef readonly uint32_t reasons
    cdef readonly uint32_t retries
    cdef readonly uint64_t per_try_timeout_ms  # 0: none
    cdef readonly uint64_t per_try_idle_timeout_ms  # 0: none
    cdef readonly object codes  # frozenset of statuses
    cdef readonly tuple response_headers, request_headers  # HeaderMatchers
    cdef readonly uint32_t host_attempts  # how often a host is chosen anew, where `predicates` reject it
    cdef readonly object predicates  # HostPredicates; None: any host will do
    cdef uint64_t base_ms
    cdef uint64_t max_ms
    cdef tuple reset_headers  # (name, whether it says a time)
    cdef uint64_t reset_max_ms

    cdef bint admits(self, const RequestFacts *facts) except -1
    cdef bint has_header(self, Head *head) except -1
    cdef uint64_t delay_ms(self, uint32_t retry, uint64_t random) noexcept nogil
    cdef int64_t stated_delay_ms(self, const Head *head, int64_t epoch_s, uint64_t random) except -2


cdef bint is_reason(const Head *head, uint32_t reasons, object codes, tuple names) except -1
cdef uint32_t reasons_of(bytes words)
