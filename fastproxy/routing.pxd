"""Which route a request takes, and what the route does with it."""

from libc.stdint cimport int64_t, uint64_t

from fastproxy.affinity_policy cimport AffinityPolicy
from fastproxy.circuit_breakers cimport Priority
from fastproxy.cors cimport CorsPolicy
from fastproxy.domains cimport Domains
from fastproxy.hashing cimport HashPolicies
from fastproxy.matching cimport Conditions
from fastproxy.origins cimport OriginPolicy
from fastproxy.path_matching cimport PathMatcher
from fastproxy.redirects cimport Redirect
from fastproxy.request_facts cimport RequestFacts
from fastproxy.retry_policies cimport RetryPolicy
from fastproxy.rewriting cimport HostRewriter, PathRewriter
from fastproxy.traffic_limits cimport TrafficLimits
from fastproxy.upstream cimport Cluster

cdef enum:  # what a route does with its requests
    ROUTE_FORWARD
    ROUTE_REDIRECT
    ROUTE_DIRECT_RESPONSE


cdef class Destination:
    cdef readonly Cluster cluster
    cdef readonly bytes host_rewrite  # takes the place of the authority before the route rewrites it; None: none
    cdef readonly tuple header_rules  # HeaderRules of cluster, route, virtual host and table, as they are evaluated


cdef class Mirror:
    cdef readonly Cluster cluster
    cdef readonly uint64_t share  # in millionths
    cdef readonly bint appends_shadow  # `-shadow` behind the host
    cdef readonly bytes host_rewrite  # None: none


cdef class Route:
    cdef readonly object model  # model.Route
    cdef readonly bytes name
    cdef readonly int action
    cdef readonly int status  # of a redirect or a direct response
    cdef readonly bytes body  # of a direct response
    cdef readonly HashPolicies hashing
    cdef readonly tuple header_rules  # as those of a destination, without a cluster's: for what is answered here
    cdef readonly uint64_t timeout_ms
    cdef readonly bint timeout_is_set
    cdef readonly uint64_t idle_timeout_ms  # 0: none
    cdef readonly bint idle_timeout_is_set
    cdef readonly uint64_t max_stream_duration_ms  # 0: none
    cdef readonly bint max_stream_duration_is_set
    cdef readonly bint allow_websocket
    cdef readonly Priority priority
    cdef readonly bint append_x_forwarded_host
    cdef readonly bint auto_host_rewrite  # the host's own name becomes the authority
    cdef readonly bint attempt_count_in_request
    cdef readonly bint attempt_count_in_response
    cdef readonly RetryPolicy retry_policy  # None: none
    cdef readonly int64_t request_buffer_bytes  # of a request that may be sent again; -1: as the listener says
    cdef readonly int missing_cluster_status
    cdef readonly CorsPolicy cors  # None: none
    cdef readonly OriginPolicy origins  # None: any
    cdef readonly AffinityPolicy affinity  # None: no session is looked for
    cdef readonly tuple mirrors  # Mirror
    cdef TrafficLimits limits  # None: none
    cdef uint64_t *counters  # RouteCounter
    cdef Cluster cluster  # None: not one and the same for every request
    cdef PathMatcher matcher
    cdef bytes text  # what the matcher compares with
    cdef object regex  # of the whole path, beyond how it begins; None: none
    cdef Conditions conditions  # None: none
    cdef bint is_plain  # the matcher says it all
    cdef Redirect redirect
    cdef PathRewriter path_rewriter
    cdef HostRewriter host_rewriter
    cdef Destination destination  # of `cluster`
    cdef list weighted  # (weight, Destination or name of the header that names the cluster)
    cdef uint64_t total_weight
    cdef bytes choice_header  # of weighted clusters
    cdef bint chooses_by_hash
    cdef bytes cluster_header
    cdef object clusters
    cdef dict named  # destinations by the names that headers gave

    cdef bint admits(self, const RequestFacts *facts) except -1
    cdef Destination choose(self, const RequestFacts *facts)
    cdef Destination named_by_header(self, bytes header_name, const RequestFacts *facts)
    cdef uint64_t lot(self, const RequestFacts *facts) except? 0
    cdef bytes location(self, const RequestFacts *facts)
    cdef bytes rewritten_path(self, const RequestFacts *facts)
    cdef bytes rewritten_host(self, const RequestFacts *facts)


cdef class VirtualHost:
    cdef readonly object model  # model.VirtualHost
    cdef readonly bytes name
    cdef readonly tuple routes
    cdef PathMatcher *matchers  # those of `routes`
    cdef Route tls_redirect  # for requests that did not come by TLS; None: they may
    cdef bint tls_for_internal

    cdef Route find(self, const RequestFacts *facts)
    cdef bint lacks_tls(self, const RequestFacts *facts) noexcept


cdef class RouteTable:
    cdef readonly object model  # model.RouteConfiguration
    cdef readonly Domains domains
    cdef readonly tuple virtual_hosts
    cdef bint ignore_port

    cdef Route find(self, const RequestFacts *facts)
    cdef int domain(self, const RequestFacts *facts) noexcept


cdef HashPolicies hash_policies_of(Route route, Cluster cluster)
