"""Limits of routes and connection managers on what clients ask for: who goes beyond one is answered here.

As in Envoy the filters of a connection manager come before the router: a request for which there is no route, or one
that the route answers by itself, takes its token too.
"""

from libc.stdint cimport int64_t, uint64_t

from fastproxy.access_log cimport LogFacts
from fastproxy.affinity cimport EngineIo
from fastproxy.counters cimport (
    http_downstream_rq_too_large, http_downstream_rq_url_too_long, http_limit_table_crowded,
    http_sid_handshake_limited, http_tunnel_concurrent_limited,
)
from fastproxy.exchange.local_replies cimport (
    PAYLOAD_TOO_LARGE, RATE_LIMITED, TOO_MANY_SESSIONS, TOO_MANY_TUNNELS, URI_TOO_LONG,
)
from fastproxy.exchange.log cimport AddressTexts
from fastproxy.exchange.state cimport Exchange, count_sid
from fastproxy.header_rules cimport change_request
from fastproxy.http1 cimport HEAD_TOO_MANY_FIELDS, equals
from fastproxy.live_counts cimport COUNT_LIMITED
from fastproxy.local_rate_limits cimport LIMIT_ENFORCED, LIMIT_EXCEEDED, LocalRateLimit, Told, told_fields
from fastproxy.request_facts cimport RequestFacts
from fastproxy.response_flags cimport FLAG_RL
from fastproxy.routing cimport ROUTE_FORWARD, Destination


cdef class Limiting(Choice):
    """Holds requests to the limits in `x.limits`."""

    cdef bint is_limited(self, Exchange x, RequestFacts *facts):
        """Whether the request goes beyond a limit, and was answered for that."""
        if x.limits.local_rate_limit is not None and self.is_out_of_rate(x, x.limits.local_rate_limit, facts):
            return True
        if x.limits.max_url_bytes and facts.path.length > x.limits.max_url_bytes:
            x.downstream.counters[<int> http_downstream_rq_url_too_long] += 1
            self.reply(x, 414, URI_TOO_LONG)
            return True
        if x.limits.max_request_bytes and self.head.content_length > <long long> x.limits.max_request_bytes:
            self.refuse_body(x)
            return True
        return False

    cdef bint is_out_of_rate(self, Exchange x, LocalRateLimit limit, RequestFacts *facts):
        """Take a token for the request; whether there was none, and it was answered for that."""
        cdef LogFacts known
        cdef AddressTexts texts
        cdef Told told
        cdef bint is_crowded = False
        cdef bytes cluster = self.destined(x, facts) if limit.wants_cluster else None
        cdef int verdict = limit.judge(facts, x.downstream, cluster, self.io.now_ms, &told, &is_crowded)
        if is_crowded:
            x.downstream.counters[<int> http_limit_table_crowded] += 1
        if told.is_wanted:
            x.fields = told_fields(&told)
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

    cdef bytes destined(self, Exchange x, const RequestFacts *facts):
        """The cluster that the request is for; None where it is for none."""
        cdef Destination destination
        if x.route is None or x.route.action != ROUTE_FORWARD:
            return None
        destination = x.route.choose(facts)
        return None if destination is None else destination.cluster.name

    cdef bint is_newcomer_limited(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io):
        """Whether there is no room for a new session or tunnel, and the request was answered for that."""
        if x.limits.handshakes is not None and self.is_handshake_limited(x, facts, engine_io):
            return True
        return x.is_upgrade and x.limits.concurrent_tunnels is not None and self.is_tunnel_limited(x, facts)

    cdef bint is_handshake_limited(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io):
        """Whether this would be one new Engine.IO session too many. A request with an id is none."""
        cdef bint is_crowded = False
        cdef uint64_t wait_ms
        if not engine_io.is_engine_io or engine_io.sid.length \
                or not (x.is_upgrade or engine_io.is_polling and equals(self.head.method, b"get")):
            return False
        wait_ms = x.limits.handshakes.wait_ms(facts.remote, self.io.now_ms, &is_crowded)
        if is_crowded:
            x.downstream.counters[<int> http_limit_table_crowded] += 1
        if wait_ms == 0:
            return False
        count_sid(x, http_sid_handshake_limited)
        x.response_flags |= FLAG_RL
        x.fields = (x.fields or []) + [(b"retry-after", b"%d" % ((wait_ms + 999) // 1000))]
        x.changes_response = True
        self.reply(x, 429, TOO_MANY_SESSIONS)
        return True

    cdef bint is_tunnel_limited(self, Exchange x, const RequestFacts *facts):
        """Count a tunnel that may come of this handshake; whether its key has too many already."""
        cdef int64_t slot = x.limits.concurrent_tunnels.take(facts)
        if slot >= 0:
            x.hold = slot + 1
            return False
        if slot != COUNT_LIMITED:
            x.downstream.counters[<int> http_limit_table_crowded] += 1
            return False
        x.downstream.counters[<int> http_tunnel_concurrent_limited] += 1
        x.response_flags |= FLAG_RL
        self.reply(x, 429, TOO_MANY_TUNNELS)
        return True

    cdef bint is_body_too_large(self, Exchange x):
        """Whether more of the body has come than may come, and the request was answered for that."""
        if x.limits.max_request_bytes == 0 or x.bytes_received <= x.limits.max_request_bytes:
            return False
        self.drop_upstream(x)
        self.refuse_body(x)
        return True

    cdef int refuse_body(self, Exchange x) except -1:
        """Nobody reads the rest of the body, so the connection closes."""
        x.downstream.counters[<int> http_downstream_rq_too_large] += 1
        x.request_body.done = False
        self.reply(x, 413, PAYLOAD_TOO_LARGE)
