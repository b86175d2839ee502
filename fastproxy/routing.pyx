"""Which route a request takes, and what the route does with it.

The virtual host by the authority (`domains`), then the first of its routes whose path and conditions fit (Envoy:
config.route.v3.RouteConfiguration).
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memset

from fastproxy.addresses cimport PeerAddress
from fastproxy.affinity_policy import policy_of
from fastproxy.circuit_breakers cimport PRIORITY_DEFAULT, PRIORITY_HIGH
from fastproxy.counters cimport ROUTE_COUNTERS
from fastproxy.domains cimport without_port
from fastproxy.header_rules import HeaderRules
from fastproxy.http1 cimport H_X_FORWARDED_PROTO, Head, equals, header
from fastproxy.model import Route as RouteModel
from fastproxy.model_routes import Redirect as RedirectModel, RequireTls, RouteMatch, RoutingPriority
from fastproxy.path_matching cimport (
    PATH_EXACT, PATH_PREFIX, PATH_REGEX, PATH_SEPARATED_PREFIX, next_fitting, path_matcher_init,
)
from fastproxy.regexes import Regex
from fastproxy.request_values cimport bare_length, is_internal, read_number
from fastproxy.rewriting cimport header_value
from fastproxy.slices cimport Slice

cdef uint64_t UNREAD[<int> ROUTE_COUNTERS]  # where routes count that have no counters of their own

KINDS = {"prefix": PATH_PREFIX, "path": PATH_EXACT, "separated_prefix": PATH_SEPARATED_PREFIX, "regex": PATH_REGEX,
         "template": PATH_REGEX}


def milliseconds(seconds):
    """A duration of the model as the data plane counts it: 0 for no limit, never 0 for a short one."""
    return 0 if not seconds else max(1, round(seconds * 1000))


cdef class Destination:
    """Where a request goes: a cluster, and what sending it there changes."""

    def __init__(self, cluster, host_rewrite=None, header_rules=()):
        self.cluster = cluster
        self.host_rewrite = host_rewrite
        self.header_rules = header_rules


cdef class Mirror:
    """A cluster that gets a copy of some requests."""

    def __init__(self, model, cluster):
        self.cluster = cluster
        self.share = model.share
        self.appends_shadow = model.appends_shadow
        self.host_rewrite = model.host_rewrite.encode() or None


cdef class Route:
    """One route of a virtual host; `levels` are what it inherits of route configuration and virtual host."""

    def __init__(self, model, clusters, host=None, levels=None):
        levels = levels or Levels()
        self.counters = UNREAD
        self.affinity = levels.affinity if model.affinity is None else policy_of(model.affinity)
        self.model = model
        self.name = model.name.encode()
        self.clusters = clusters
        self.named = {}
        self.hashing = HashPolicies(model.hash_policies)
        self.header_rules = levels.with_rules(model.header_rules)
        self.set_match(model.match)
        self.set_limits(model)
        self.allow_websocket = model.allow_websocket
        self.priority = PRIORITY_HIGH if model.priority is RoutingPriority.HIGH else PRIORITY_DEFAULT
        self.attempt_count_in_request = host is not None and host.include_request_attempt_count
        self.attempt_count_in_response = host is not None and host.include_attempt_count_in_response
        self.cors = CorsPolicy(model.cors) if model.cors is not None else None
        self.origins = OriginPolicy(model.origins) if model.origins is not None else None
        self.mirrors = tuple(Mirror(each, clusters[each.cluster]) for each in model.mirrors)
        if model.redirect is not None:
            self.action = ROUTE_REDIRECT
            self.redirect = Redirect(model.redirect)
            self.status = self.redirect.status
        elif model.direct_response is not None:
            self.action = ROUTE_DIRECT_RESPONSE
            self.status = model.direct_response.status
            self.body = model.direct_response.body
        else:
            self.set_forwarding(model, levels)

    def set_match(self, match):
        """How the path and the rest of a request are compared."""
        kind = next(kind for kind in KINDS if getattr(match, kind) is not None)
        text = getattr(match, kind)
        ignore_case = not match.case_sensitive
        if KINDS[kind] == PATH_REGEX:
            self.regex = Regex(text)
            text = self.regex.literal_prefix
            ignore_case = False
        self.text = text.encode()
        path_matcher_init(&self.matcher, KINDS[kind], self.text, len(self.text), ignore_case)
        self.conditions = Conditions(match)
        if self.conditions.are_none:
            self.conditions = None
        self.is_plain = self.regex is None and self.conditions is None

    def set_limits(self, model):
        """How long a request may take."""
        self.timeout_ms = milliseconds(model.timeout_s)
        self.timeout_is_set = model.timeout_is_set
        self.idle_timeout_ms = milliseconds(model.idle_timeout_s)
        self.idle_timeout_is_set = model.idle_timeout_s is not None
        self.max_stream_duration_ms = milliseconds(model.max_stream_duration_s)
        self.max_stream_duration_is_set = model.max_stream_duration_s is not None

    def set_forwarding(self, model, levels):
        """Where requests go, and what is rewritten."""
        self.action = ROUTE_FORWARD
        self.missing_cluster_status = model.missing_cluster_status
        self.retry_policy = RetryPolicy(model.retry_policy) if model.retry_policy is not None else None
        self.request_buffer_bytes = -1 if model.request_buffer_bytes is None else model.request_buffer_bytes
        self.path_rewriter = PathRewriter(model.prefix_rewrite, model.regex_rewrite)
        self.host_rewriter = HostRewriter(model)
        self.auto_host_rewrite = model.auto_host_rewrite
        self.append_x_forwarded_host = model.append_x_forwarded_host
        if model.weighted_clusters is not None:
            self.set_weighted(model.weighted_clusters, levels)
        elif model.cluster_header:
            self.cluster_header = model.cluster_header.encode()
        else:
            self.cluster = self.clusters[model.cluster]
            self.destination = Destination(self.cluster, None, self.header_rules)

    def set_weighted(self, model, levels):
        """The clusters that share the requests."""
        self.choice_header = model.header_name.encode() or None
        self.chooses_by_hash = model.use_hash_policy
        self.weighted = []
        for each in model.clusters:
            where = each.cluster_header.encode()
            if each.name:
                rules = levels.with_rules(self.model.header_rules, each.header_rules)
                where = Destination(self.clusters[each.name], each.host_rewrite.encode() or None, rules)
            self.weighted.append((each.weight, where))
            self.total_weight += each.weight

    cdef bint admits(self, const RequestFacts *facts) except -1:
        """Whether a request fits whose path the matcher fits already."""
        if self.is_plain:
            return True
        if self.regex is not None:
            if not self.regex.full_match(facts.path.data[:bare_length(facts.path)]):
                return False
        return self.conditions is None or self.conditions.hold(facts)

    cdef Destination choose(self, const RequestFacts *facts):
        """Where this request goes; None when the cluster that it should go to does not exist."""
        cdef uint64_t left, weight
        if self.destination is not None:
            return self.destination
        if self.cluster_header is not None:
            return self.named_by_header(self.cluster_header, facts)
        left = self.lot(facts)
        for share, where in self.weighted:
            weight = share
            if left < weight:
                return where if isinstance(where, Destination) else self.named_by_header(where, facts)
            left -= weight
        return None

    cdef uint64_t lot(self, const RequestFacts *facts) except? 0:
        """The number below `total_weight` that decides among weighted clusters."""
        cdef uint64_t number = facts.random
        cdef uint64_t hash = 0
        cdef uint64_t given = 0
        if self.choice_header is not None:
            if read_number(header_value(facts, self.choice_header), &given):
                number = given
        elif self.chooses_by_hash and self.hashing.hash(facts, &hash, []):
            number = hash
        return number % self.total_weight

    cdef Destination named_by_header(self, bytes header_name, const RequestFacts *facts):
        """The destination of the cluster that a request header names; None: there is none."""
        cdef Slice value = header_value(facts, header_name)
        name = value.data[:value.length]
        found = self.named.get(name)
        if found is None:
            cluster = self.clusters.get(name.decode("utf-8", "surrogateescape"))
            if cluster is not None:
                found = self.named[name] = Destination(cluster, None, self.header_rules)
        return found

    cdef bytes location(self, const RequestFacts *facts):
        """Where a redirect sends the client."""
        return self.redirect.location(facts, &self.matcher)

    cdef bytes rewritten_path(self, const RequestFacts *facts):
        """The path that the upstream is asked for, query included; None: no rewrite is asked for."""
        return self.path_rewriter.rewritten(facts.path, &self.matcher)

    cdef bytes rewritten_host(self, const RequestFacts *facts):
        """The authority that the upstream is asked with; None: the one of `facts`."""
        return self.host_rewriter.rewritten(facts)


class Levels:
    """What a route inherits: header rules of its virtual host and of the route configuration, and the affinity policy
    of the connection manager."""

    def __init__(self, models=(), most_specific_wins=False, affinity=None):
        self.affinity = affinity
        self.rules = tuple(HeaderRules(model) for model in models if model is not None)
        self.most_specific_wins = most_specific_wins

    def with_rules(self, route, cluster=None):
        """All rules in the order of their evaluation: what comes later may overwrite."""
        own = tuple(HeaderRules(model) for model in (cluster, route) if model is not None)
        rules = own + self.rules
        return rules[::-1] if self.most_specific_wins else rules


cdef class VirtualHost:
    """The routes for some domains."""

    def __init__(self, model, clusters, levels=None):
        cdef Py_ssize_t at
        cdef Route route
        self.model = model
        self.name = model.name.encode()
        self.routes = tuple(Route(each, clusters, model, levels) for each in model.routes)
        self.matchers = <PathMatcher *> calloc(len(self.routes) + 1, sizeof(PathMatcher))
        if self.matchers == NULL:
            raise MemoryError
        for at in range(len(self.routes)):
            route = self.routes[at]
            self.matchers[at] = route.matcher
        if model.require_tls is not RequireTls.NONE:
            self.tls_for_internal = model.require_tls is RequireTls.ALL
            answer = RouteModel(RouteMatch(prefix=""), redirect=RedirectModel())
            self.tls_redirect = Route(answer, clusters, None, levels)
            self.tls_redirect.redirect = Redirect(RedirectModel(scheme="https"), keeps_authority=True)

    def __dealloc__(self):
        free(self.matchers)

    cdef Route find(self, const RequestFacts *facts):
        """The first route that fits; None when none does."""
        cdef size_t bare = bare_length(facts.path)
        cdef Py_ssize_t count = len(self.routes)
        cdef Py_ssize_t at = 0
        cdef Route route
        if self.tls_redirect is not None and self.lacks_tls(facts):
            return self.tls_redirect
        while True:
            at = next_fitting(self.matchers, count, at, facts.path, bare)
            if at < 0:
                return None
            route = <Route> self.routes[at]
            if route.admits(facts):
                return route
            at += 1

    cdef bint lacks_tls(self, const RequestFacts *facts) noexcept:
        """Whether the request came without TLS where it must not; x-forwarded-proto decides."""
        cdef const Slice *proto = header(facts.head, H_X_FORWARDED_PROTO)
        if proto != NULL and equals(proto[0], b"https"):
            return False
        return self.tls_for_internal or not is_internal(facts.head)


cdef class RouteTable:
    """The virtual hosts of one route configuration. `clusters` are the upstream.Cluster of every name, `affinity` is
    the AffinityPolicy of routes without one of their own; None: none."""

    def __init__(self, model, clusters, affinity=None):
        self.model = model
        self.ignore_port = model.ignore_port_in_host_matching
        hosts = []
        for host in model.virtual_hosts:
            rules = host.header_rules, model.header_rules
            levels = Levels(rules, model.most_specific_header_mutations_wins, affinity)
            hosts.append(VirtualHost(host, clusters, levels))
        self.virtual_hosts = tuple(hosts)
        self.domains = Domains([host.domains for host in model.virtual_hosts])

    cdef Route find(self, const RequestFacts *facts):
        """The route for a request; None when no virtual host or no route of it fits."""
        cdef int domain = self.domain(facts)
        if domain < 0:
            return None
        return (<VirtualHost> self.virtual_hosts[self.domains.owners[domain]]).find(facts)

    cdef int domain(self, const RequestFacts *facts) noexcept:
        """The number of the domain that the authority falls under; -1: none."""
        return self.domains.find(without_port(facts.authority) if self.ignore_port else facts.authority)

    def count_in(self, row, layout):
        """Have the routes count in a worker's row of counters, those that have a place in the layout."""
        cdef uint64_t[::1] view = row
        cdef Route route
        for host in self.virtual_hosts:
            for index, route in enumerate(host.routes):
                slot = layout.route(host.model, index)
                if slot is not None:
                    route.counters = &view[0] + <Py_ssize_t> slot

    def set_limits(self, maker, limits):
        """Have each route hold its requests to its own limits, or to those of the connection manager."""
        cdef Route route
        cdef VirtualHost host
        for host in self.virtual_hosts:
            if host.tls_redirect is not None:
                host.tls_redirect.limits = limits
            for route in host.routes:
                route.limits = limits if route.model.limits is None else maker.ready(route.model.limits)

    def route(self, authority: bytes, path: bytes):
        """The route for a request without headers, for whoever is not on the hot path."""
        cdef RequestFacts facts
        cdef Head head
        cdef PeerAddress client
        memset(&client, 0, sizeof(client))
        memset(&facts, 0, sizeof(facts))
        memset(&head, 0, 64)
        head.count = 0
        head.tokens = 0
        head.seen = head.repeated = 0
        facts.head = &head
        facts.remote = &client
        facts.fd = -1
        facts.authority = Slice(authority, len(authority))
        facts.path = Slice(path, len(path))
        return self.find(&facts)


cdef HashPolicies hash_policies_of(Route route, Cluster cluster):
    """What is hashed of a request on its way to the cluster: a balancer may have policies of its own."""
    return route.hashing if cluster is None or cluster.hashing is None else <HashPolicies> cluster.hashing
