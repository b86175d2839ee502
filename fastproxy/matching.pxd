"""What a request is compared with besides its path."""

from libc.stdint cimport int64_t, uint64_t

from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice

cdef enum StringKind:
    STRING_EXACT
    STRING_PREFIX
    STRING_SUFFIX
    STRING_CONTAINS
    STRING_REGEX


cdef class StringMatcher:
    cdef StringKind kind
    cdef bint ignore_case
    cdef bytes text
    cdef object regex  # regexes.Regex

    cdef bint fits(self, Slice value) except -1


cdef class HeaderMatcher:
    cdef readonly object model  # model_routes.HeaderMatcher
    cdef bytes name
    cdef StringMatcher value
    cdef bint has_range
    cdef int64_t low
    cdef int64_t below
    cdef bint present
    cdef bint invert
    cdef bint missing_is_empty

    cdef bint holds(self, const RequestFacts *facts) except -1
    cdef int any_line(self, const RequestFacts *facts) except -2
    cdef bint fits(self, Slice value) except -1


cdef class QueryParameterMatcher:
    cdef readonly object model  # model_routes.QueryParameterMatcher
    cdef bytes name
    cdef StringMatcher value
    cdef bint present

    cdef bint holds(self, const RequestFacts *facts) except -1
    cdef bint fits(self, bint found, Slice value) except -1


cdef class CookieMatcher:
    cdef readonly object model  # model_routes.CookieMatcher
    cdef bytes name
    cdef StringMatcher value
    cdef bint invert

    cdef bint holds(self, const RequestFacts *facts) except -1


cdef class Conditions:
    cdef readonly tuple headers
    cdef readonly tuple query_parameters
    cdef readonly tuple cookies
    cdef readonly uint64_t share
    cdef readonly bint grpc

    cdef bint hold(self, const RequestFacts *facts) except -1
    cdef bint takes_part(self, const RequestFacts *facts) noexcept
