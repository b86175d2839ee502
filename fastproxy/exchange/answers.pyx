"""What is answered without an upstream: redirects, direct responses, and the preflights of CORS.

CORS follows Envoy's filter: it stands before the router, and only where the connection manager has it.
"""

from libc.stdint cimport uint64_t

from fastproxy.cors cimport CorsPolicy
from fastproxy.counters cimport (
    http_cors_origin_invalid, http_cors_origin_valid, http_downstream_rq_failed_path_normalization,
    http_downstream_rq_redirected_with_normalized_path, http_rq_direct_response, http_rq_redirect,
)
from fastproxy.exchange.local_replies cimport NO_BODY
from fastproxy.exchange.state cimport Exchange
from fastproxy.header_rules cimport keep_for_response
from fastproxy.heads cimport RequestHead
from fastproxy.http1 cimport H_CONTENT_TYPE, H_ORIGIN, Head, equals, header
from fastproxy.path_normalization cimport PATH_PASSES, PATH_REDIRECTED, Normalized
from fastproxy.request_facts cimport RequestFacts
from fastproxy.routing cimport ROUTE_FORWARD, ROUTE_REDIRECT, Route
from fastproxy.slices cimport Field, Slice

cdef enum:
    WHOLE = 1000000  # model_routes.WHOLE: of a share

cdef bytes ASKED_METHOD = b"access-control-request-method"
cdef bytes ASKED_NETWORK = b"access-control-request-private-network"


cdef class Answers(Response):
    """Answers for paths that are not taken as they are, and for routes that send nothing on."""

    cdef bint is_normalized(self, Exchange x, RequestHead *plan):
        """Normalize path and authority as the connection manager is told to; False when that was answered here.

        As with Envoy an answer comes before anything else is done to the request, and gRPC knows no redirects.
        """
        cdef Normalized outcome = x.manager.normalization.path(&plan.path)
        if outcome == PATH_PASSES:
            x.manager.normalization.authority(&plan.authority, x.downstream.fd)
            return True
        self.begin_records(x, plan)
        if outcome == PATH_REDIRECTED and not is_grpc(&self.head):
            x.downstream.counters[<int> http_downstream_rq_redirected_with_normalized_path] += 1
            x.location = plan.path.data[:plan.path.length]
            self.reply(x, 307, NO_BODY)
        else:
            x.downstream.counters[<int> http_downstream_rq_failed_path_normalization] += 1
            x.keep_alive = False
            self.reply(x, 400, NO_BODY)
        return False

    cdef bint is_answered(self, Exchange x, const RequestFacts *facts):
        """Answer for the exchange's route, where that does not forward; whether it did."""
        cdef Route route = x.route
        if route.cors is not None and self.is_preflight_answered(x, route.cors, facts):
            return True
        if route.action == ROUTE_FORWARD:
            return False
        if route.header_rules:
            self.take_rules(x, route.header_rules, facts)
        if route.action == ROUTE_REDIRECT:
            x.location = route.location(facts)
            x.downstream.counters[<int> http_rq_redirect] += 1
            self.reply(x, route.status, NO_BODY)
        else:
            x.downstream.counters[<int> http_rq_direct_response] += 1
            self.reply(x, route.status, NO_BODY if route.body is None else route.body)
        return True

    cdef bint is_preflight_answered(self, Exchange x, CorsPolicy policy, const RequestFacts *facts):
        """Have the response tell the page's browser what it may do; whether that was all that it had asked for."""
        cdef const Slice *origin = header(facts.head, H_ORIGIN)
        cdef bint is_enabled = facts.random % WHOLE < <uint64_t> policy.model.enabled
        cdef bint is_allowed, is_preflight
        if not is_enabled and facts.random % WHOLE >= <uint64_t> policy.model.shadow_enabled:
            return False
        if origin == NULL or origin.length == 0:
            return False
        is_allowed = policy.allows(origin[0])
        x.downstream.counters[<int> (http_cors_origin_valid if is_allowed else http_cors_origin_invalid)] += 1
        if not is_enabled:
            return False
        is_preflight = equals(facts.head.method, b"options") and bool(value_of(facts, ASKED_METHOD))
        if is_allowed:
            x.fields = (x.fields or []) + cors_fields(policy.model, origin.data[:origin.length], is_preflight, facts)
            x.changes_response = True
        elif policy.model.forward_not_matching_preflights:
            return False
        if is_preflight:
            x.is_verbatim = True
            self.reply(x, 200, NO_BODY)
        return is_preflight

    cdef int take_rules(self, Exchange x, tuple rules, const RequestFacts *facts) except -1:
        """Have the response changed by these HeaderRules, with what they need to know of the request."""
        x.rules = rules
        x.kept = keep_for_response(rules, facts)
        x.changes_response = True


cdef bint is_grpc(const Head *head) noexcept:
    cdef const Slice *content_type = header(head, H_CONTENT_TYPE)
    cdef bytes kind
    if content_type == NULL:
        return False
    kind = content_type.data[:content_type.length]
    return kind == b"application/grpc" or kind.startswith(b"application/grpc+")


cdef bytes value_of(const RequestFacts *facts, bytes name):
    """The first line of a header; empty where there is none."""
    cdef const Field *field
    cdef int i
    for i in range(facts.head.count):
        field = &facts.head.fields[i]
        if field.name.data[:field.name.length] == name:
            return field.value.data[:field.value.length]
    return b""


cdef list cors_fields(object model, bytes origin, bint is_preflight, const RequestFacts *facts):
    """The headers of a response to a page of that origin, in Envoy's order."""
    fields = [(b"access-control-allow-origin", origin)]
    if model.allow_credentials:
        fields.append((b"access-control-allow-credentials", b"true"))
    if is_preflight:
        fields += [
            (b"access-control-allow-methods", model.allow_methods.encode()),
            (b"access-control-allow-headers", model.allow_headers.encode()),
            (b"access-control-max-age", model.max_age.encode()),
        ]
        if model.allow_private_network_access and value_of(facts, ASKED_NETWORK) == b"true":
            fields.append((b"access-control-allow-private-network", b"true"))
    fields.append((b"access-control-expose-headers", model.expose_headers.encode()))
    return [(name, value) for name, value in fields if value]
