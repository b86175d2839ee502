"""The limits of routes and connection managers, made ready for one worker."""

cimport cython
from libc.stdint cimport uint64_t

from fastproxy.token_buckets cimport BucketRate

cdef enum LimitVerdict:
    LIMIT_PASSES
    LIMIT_EXCEEDED  # which is not enforced
    LIMIT_ENFORCED


@cython.final
cdef class LocalRateLimit:
    cdef readonly object model  # model.LocalRateLimit
    cdef object owners  # of the words
    cdef uint64_t *bucket
    cdef uint64_t *counters
    cdef BucketRate rate
    cdef uint64_t enabled  # in millionths
    cdef uint64_t enforced
    cdef readonly int status
    cdef readonly bint tells_clients
    cdef readonly tuple rules  # one HeaderRules; empty: none

    cdef LimitVerdict judge(self, uint64_t random, uint64_t now_ms) noexcept
    cdef list told(self, uint64_t now_ms)


@cython.final
cdef class TrafficLimits:
    cdef readonly object model  # model.TrafficLimits
    cdef readonly LocalRateLimit local_rate_limit  # None: none
    cdef readonly uint64_t max_request_bytes  # 0: no limit
