"""Descriptors of requests: what tells them apart where their rate is limited."""

cimport cython

from fastproxy.request_facts cimport RequestFacts

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

    cdef bint add(self, list entries, const RequestFacts *facts, bytes cluster) except -1
    cdef bytes found(self, const RequestFacts *facts, bytes cluster)
    cdef bint matches(self, const RequestFacts *facts) except -1


@cython.final
cdef class DescriptorRule:
    cdef tuple actions
    cdef readonly size_t hits
    cdef readonly object tells_clients  # None: as the filter says

    cdef tuple descriptor(self, const RequestFacts *facts, bytes cluster)
