"""What a route answers by itself, without an upstream: redirects and direct responses."""

from fastproxy.counters cimport http_rq_direct_response, http_rq_redirect
from fastproxy.exchange.local_replies cimport NO_BODY
from fastproxy.exchange.state cimport Exchange
from fastproxy.header_rules cimport keep_for_response
from fastproxy.request_facts cimport RequestFacts
from fastproxy.routing cimport ROUTE_FORWARD, ROUTE_REDIRECT, Route


cdef class Answers(Response):
    """Answers for routes that send nothing on."""

    cdef bint is_answered(self, Exchange x, const RequestFacts *facts):
        """Answer for the exchange's route, where that does not forward; whether it did."""
        cdef Route route = x.route
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

    cdef void take_rules(self, Exchange x, tuple rules, const RequestFacts *facts):
        """Have the response changed by these HeaderRules, with what they need to know of the request."""
        x.rules = rules
        x.kept = keep_for_response(rules, facts)
        x.changes_response = True
