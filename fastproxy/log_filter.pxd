"""Which exchanges an access log or a mapper of local replies is for."""

cimport cython
from libc.stdint cimport uint64_t

from fastproxy.log_operations cimport LogFacts

cdef struct Condition:
    int kind
    int comparison
    uint64_t value
    int end  # behind the last of the conditions below this one


@cython.final
cdef class LogFilter:
    cdef readonly object model  # model.LogFilter
    cdef Condition *conditions
    cdef int count

    cdef bint admits(self, const LogFacts *facts) noexcept nogil
    cdef int add(self, object model) except -1
    cdef bint holds(self, int place, const LogFacts *facts) noexcept nogil
