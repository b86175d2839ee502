"""Which route a request takes, and what the route does with it."""

from libc.stdint cimport uint64_t

from fastproxy.hashing cimport HashPolicies
from fastproxy.request_facts cimport RequestFacts
from fastproxy.upstream cimport Cluster

cdef enum:  # what a route does with its requests
    ROUTE_FORWARD
    ROUTE_REDIRECT
    ROUTE_DIRECT_RESPONSE


cdef class Destination:
    cdef readonly Cluster cluster
    cdef readonly bytes host_rewrite  # that this cluster asks for; None: none
    cdef readonly tuple header_rules  # of this cluster, HeaderRules; evaluated before those of the route


cdef class Route:
    cdef readonly object model  # model.Route
    cdef readonly bytes name
    cdef readonly int action
    cdef readonly int status  # of a redirect or a direct response
    cdef readonly bytes body  # of a direct response
    cdef readonly HashPolicies hashing
    cdef readonly tuple header_rules  # HeaderRules in the order of their evaluation
    cdef readonly uint64_t timeout_ms
    cdef readonly bint timeout_is_set
    cdef readonly uint64_t idle_timeout_ms
    cdef readonly bint idle_timeout_is_set
    cdef readonly uint64_t max_stream_duration_ms
    cdef readonly bint max_stream_duration_is_set
    cdef readonly bint allow_websocket
    cdef readonly bint append_x_forwarded_host
    cdef readonly bint auto_host_rewrite  # the host's own name becomes the authority
    cdef readonly int missing_cluster_status
    cdef readonly object cors  # model.CorsPolicy or None
    cdef readonly tuple mirrors  # model.MirrorPolicy
    cdef Cluster cluster  # None: not one and the same for every request
    cdef Destination destination  # of the cluster
    cdef bytes prefix
    cdef bytes path
    cdef object regex
    cdef bint case_sensitive
    cdef bytes prefix_rewrite
    cdef bytes host_rewrite

    cdef Destination choose(self, const RequestFacts *facts)
    cdef bytes location(self, const RequestFacts *facts)
    cdef bytes rewritten_path(self, const RequestFacts *facts)
    cdef bytes rewritten_host(self, Destination destination, const RequestFacts *facts)
    cdef bint matches(self, const RequestFacts *facts) except -1
    cdef bint same(self, const char *text, bytes other, size_t length)


cdef class VirtualHost:
    cdef readonly bytes name
    cdef tuple routes

    cdef Route find(self, const RequestFacts *facts)


cdef class RouteTable:
    cdef VirtualHost default
    cdef dict exact
    cdef list suffixes
    cdef list prefixes

    cdef Route find(self, const RequestFacts *facts)


cdef HashPolicies hash_policies_of(Route route, Cluster cluster)
