"""Descriptors of requests: what tells them apart where their rate is limited."""

cimport cython

from libc.stdint cimport int64_t

from fastproxy.addresses cimport CidrRange
from fastproxy.request_facts cimport RequestFacts
from fastproxy.request_texts cimport RequestText

cdef enum ActionKind:  # model_descriptors.ActionKind
    ACTION_FIXED
    ACTION_SOURCE_CLUSTER
    ACTION_DESTINATION_CLUSTER
    ACTION_REQUEST_HEADER
    ACTION_QUERY_PARAMETER
    ACTION_REMOTE_ADDRESS
    ACTION_MASKED_REMOTE_ADDRESS
    ACTION_HEADER_MATCH
    ACTION_QUERY_MATCH
    ACTION_ADDRESS_MATCH

cdef enum:
    NO_HITS = -1  # of a request that has no descriptor for that


@cython.final
cdef class DescriptorAction:
    cdef ActionKind kind
    cdef bytes key
    cdef bytes value
    cdef bytes name
    cdef bint skip_if_absent
    cdef bint expects_match
    cdef tuple matchers  # HeaderMatcher or QueryParameterMatcher
    cdef int ipv4_bits
    cdef int ipv6_bits
    cdef CidrRange *ranges
    cdef int range_count
    cdef RequestText text  # the value of ACTION_ADDRESS_MATCH, else None
    cdef bytes default_value

    cdef bint add(self, list entries, const RequestFacts *facts, bytes cluster) except -1
    cdef bytes found(self, const RequestFacts *facts, bytes cluster)
    cdef bint matches(self, const RequestFacts *facts) except -1
    cdef bint is_within(self, const RequestFacts *facts) noexcept nogil


@cython.final
cdef class DescriptorRule:
    cdef tuple actions
    cdef int64_t hits
    cdef RequestText hits_text  # says the hits of a request, where it is not None
    cdef readonly bint gives_back
    cdef readonly object tells_clients  # None: as the filter says

    cdef tuple descriptor(self, const RequestFacts *facts, bytes cluster)
    cdef int64_t hits_of(self, const RequestFacts *facts) except -2
    cdef tuple ask(self, bytes head, str source, bytes cluster)
