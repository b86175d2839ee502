"""Limits of routes and connection managers on what clients ask for: who goes beyond one is answered here.

As in Envoy the filters of a connection manager come before the router: a request for which there is no route, or one
that the route answers by itself, takes its token too.
"""

from fastproxy.access_log cimport LogFacts
from fastproxy.counters cimport http_downstream_rq_too_large
from fastproxy.exchange.local_replies cimport PAYLOAD_TOO_LARGE, RATE_LIMITED
from fastproxy.exchange.log cimport AddressTexts
from fastproxy.exchange.state cimport Exchange
from fastproxy.header_rules cimport change_request
from fastproxy.http1 cimport HEAD_TOO_MANY_FIELDS
from fastproxy.request_facts cimport RequestFacts
from fastproxy.response_flags cimport FLAG_RL
from fastproxy.traffic_limits cimport LIMIT_ENFORCED, LIMIT_EXCEEDED, LimitVerdict, LocalRateLimit


cdef class Limiting(Choice):
    """Holds requests to the limits in `x.limits`."""

    cdef bint is_limited(self, Exchange x, RequestFacts *facts):
        """Whether the request goes beyond a limit, and was answered for that."""
        if x.limits.local_rate_limit is not None and self.is_out_of_rate(x, x.limits.local_rate_limit, facts):
            return True
        if x.limits.max_request_bytes and self.head.content_length > <long long> x.limits.max_request_bytes:
            self.refuse_body(x)
            return True
        return False

    cdef bint is_out_of_rate(self, Exchange x, LocalRateLimit limit, RequestFacts *facts):
        """Take a token for the request; whether there was none, and it was answered for that."""
        cdef LogFacts known
        cdef AddressTexts texts
        cdef LimitVerdict verdict = limit.judge(facts.random, self.io.now_ms)
        if limit.tells_clients:
            x.fields = limit.told(self.io.now_ms)
            x.changes_response = True
        if verdict == LIMIT_ENFORCED:
            x.response_flags |= FLAG_RL
            if limit.rules:
                self.take_rules(x, limit.rules, facts)
            self.reply(x, limit.status, RATE_LIMITED)
            return True
        if verdict == LIMIT_EXCEEDED and limit.rules:
            self.describe(&known, x, x.downstream, &texts, True)
            self.room.used = 0
            if not change_request(limit.rules, facts, &known, &self.room):
                self.refuse(x, HEAD_TOO_MANY_FIELDS)
                return True
        return False

    cdef bint is_body_too_large(self, Exchange x):
        """Whether more of the body has come than may come, and the request was answered for that."""
        if x.limits.max_request_bytes == 0 or x.bytes_received <= x.limits.max_request_bytes:
            return False
        self.drop_upstream(x)
        self.refuse_body(x)
        return True

    cdef void refuse_body(self, Exchange x):
        """Nobody reads the rest of the body, so the connection closes."""
        x.downstream.counters[<int> http_downstream_rq_too_large] += 1
        x.request_body.done = False
        self.reply(x, 413, PAYLOAD_TOO_LARGE)
