"""What is decided about a request before it is sent: may it pass, where does it go, what is the upstream told."""

from fastproxy.admission cimport (
    TARGET_BAD, TARGET_FRAGMENT, TARGET_OK, TARGET_UNROUTABLE, UPGRADE_NONE, UPGRADE_REFUSED, UPGRADE_WEBSOCKET,
    Target, UpgradeWish, connection_names_trusted, read_target, read_upgrade, websocket_accept,
)
from fastproxy.affinity cimport EngineIo
from fastproxy.affinity_policy cimport AFFINITY_HASH, AFFINITY_LEAST, AFFINITY_RANDOM
from fastproxy.counters cimport (
    cluster_upstream_cx_none_healthy, http_downstream_rq_ws_on_non_ws_route, http_origin_refused,
)
from fastproxy.exchange.local_replies cimport NO_BODY, NO_HEALTHY_UPSTREAM, ORIGIN_REFUSED
from fastproxy.exchange.state cimport SID_NONE, Exchange
from fastproxy.heads cimport RequestHead
from fastproxy.bodies cimport FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_NONE, Framing
from fastproxy.http1 cimport (
    HEAD_BAD, HEAD_TOO_MANY_FIELDS, HEAD_VERSION, H_EXPECT, H_X_REQUEST_ID, TOKEN_CLOSE, TOKEN_KEEP_ALIVE,
    TOKEN_OTHER, equals,
    header,
)
from fastproxy.hashing cimport HashPolicies
from fastproxy.mutation cimport has_names_allowed
from fastproxy.referer cimport check_referer
from fastproxy.request_facts cimport RequestFacts
from fastproxy.response_flags cimport FLAG_NR, FLAG_UH
from fastproxy.routing cimport hash_policies_of
from fastproxy.runtime cimport Manager
from fastproxy.slices cimport Slice
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Cluster, Host


cdef class Choice(Rewriting):
    """Checks, routes and picks; answers what may not pass."""

    cdef bint check_request(self, Exchange x, RequestHead *plan):
        """Version, target and Host; False when the request was answered here."""
        cdef Manager manager = x.manager
        cdef Target target
        cdef bint fits, names_trusted = self.head.tokens & TOKEN_OTHER and connection_names_trusted(&self.head)
        x.minor_version = self.head.minor_version
        x.is_head = equals(self.head.method, b"head")
        if self.head.minor_version == 0:
            x.keep_alive = x.keep_alive and self.head.tokens & TOKEN_KEEP_ALIVE \
                and not self.head.tokens & TOKEN_CLOSE and not self.head.is_chunked
            if not manager.accept_http_10:
                x.minor_version = 1
                self.refuse(x, HEAD_VERSION)
                return False
        elif self.head.tokens & TOKEN_CLOSE:
            x.keep_alive = False
        target = read_target(&self.head, manager.allow_absolute_url, &plan.path, &plan.authority)
        if plan.authority.data == NULL and self.head.minor_version == 0 and manager.default_host:
            plan.authority.data = manager.default_host
            plan.authority.length = len(manager.default_host)
        if manager.screens_names and not has_names_allowed(&self.head, manager):
            target = TARGET_BAD
        if manager.normalization is not None and target == TARGET_OK and not names_trusted \
                and plan.authority.data != NULL and not self.is_normalized(x, plan):
            return False
        check_referer(&self.head)
        fits = self.mutation.apply(&self.head, manager, &x.downstream.address, &x.client, x.downstream.fd)
        if manager.always_set_request_id_in_response:
            self.keep_request_id(x)
        self.begin_records(x, plan)
        if not fits:
            self.refuse(x, HEAD_TOO_MANY_FIELDS)
        elif target == TARGET_BAD or names_trusted:
            self.refuse(x, HEAD_BAD)
        elif plan.authority.data == NULL or target == TARGET_FRAGMENT:
            x.keep_alive = x.keep_alive and manager.stream_error_on_invalid_http_message
            self.reply(x, 400, NO_BODY)
        elif target == TARGET_UNROUTABLE:
            x.response_flags |= FLAG_NR
            x.keep_alive = x.keep_alive and not equals(self.head.method, b"connect")
            self.reply(x, 404, NO_BODY)
        else:
            return True
        return False

    cdef int keep_request_id(self, Exchange x) except -1:
        cdef const Slice *request_id = header(&self.head, H_X_REQUEST_ID)
        if request_id != NULL:
            x.request_id = request_id.data[:request_id.length]

    cdef bint check_upgrade(self, Exchange x):
        """Whether the request is plain, or a websocket handshake that its route allows; else it is answered here."""
        cdef UpgradeWish wish = read_upgrade(&self.head)
        if wish == UPGRADE_NONE:
            return True
        if wish == UPGRADE_REFUSED or not x.route.allow_websocket or x.minor_version == 0:
            if wish == UPGRADE_WEBSOCKET:
                x.downstream.counters[<int> http_downstream_rq_ws_on_non_ws_route] += 1
            x.keep_alive = False
            self.reply(x, 403, NO_BODY)
            return False
        x.expected_accept = websocket_accept(&self.head)
        if x.expected_accept is None:
            self.refuse(x, HEAD_BAD)
            return False
        if not x.request_body.done:
            # what follows is the tunnel's; should the upgrade be refused, nobody can tell what it was
            x.keep_alive = False
            x.request_body.done = True
        x.is_upgrade = True
        return True

    cdef bint is_origin_admitted(self, Exchange x, const EngineIo *engine_io):
        """Whether the route is open to the page that asks; else it is answered here."""
        if x.route.origins.admits(&self.head, x.is_upgrade, engine_io.is_engine_io):
            return True
        x.downstream.counters[<int> http_origin_refused] += 1
        x.keep_alive = x.keep_alive and not x.is_upgrade
        self.reply(x, 403, ORIGIN_REFUSED)
        return False

    cdef Framing request_framing(self, Exchange x):
        if x.is_upgrade:
            return FRAMING_NONE
        if self.head.is_chunked:
            x.request_is_chunked = True
            return FRAMING_CHUNKED
        return FRAMING_LENGTH if self.head.content_length > 0 else FRAMING_NONE

    cdef bint expects_continue(self):
        """Whether the client waits for a 100; one of HTTP/1.0 knows none (RFC 9110 section 10.1.1)."""
        cdef const Slice *expect = header(&self.head, H_EXPECT)
        return expect != NULL and self.head.minor_version and equals(expect[0], b"100-continue")

    cdef int say_continue(self, Exchange x) except -1:
        cdef iovec part
        part.iov_base = <char *> b"HTTP/1.1 100 Continue\r\n\r\n"
        part.iov_len = 25
        self.io.transmit(x.downstream, &part, 1)

    cdef bint pick(self, Exchange x, const RequestFacts *facts, EngineIo *engine_io):
        """Choose the host: the one that issued the session, else the one that the hash or the balancer names."""
        cdef Manager manager = x.manager
        cdef Cluster cluster = x.cluster
        cdef HashPolicies hashing
        if engine_io.is_polling and engine_io.is_engine_io and manager.polls_outlive_default_timeout \
                and not x.route.timeout_is_set:
            x.timeout_ms = 0
        if self.mutation.timeout_ms >= 0:
            x.timeout_ms = self.mutation.timeout_ms
        hashing = hash_policies_of(x.route, cluster)
        cookies = [] if hashing.makes_cookies else None
        x.has_hash = hashing.hash(facts, &x.hash, cookies)
        if cookies:
            x.cookies = cookies
            x.changes_response = True
        self.find_session(x, facts, engine_io)
        if self.is_session_refused(x):
            return False
        if x.sid_state != SID_NONE and self.is_lost(x):
            return False
        if x.host is None:
            x.first_choice = self.first_choice(x, cluster)
            if x.first_choice < 0:
                x.response_flags |= FLAG_UH
                cluster.counters[<int> cluster_upstream_cx_none_healthy] += 1
                self.reply(x, 503, NO_HEALTHY_UPSTREAM)
                return False
            x.host = <Host> cluster.hosts[x.first_choice]
        return True

    cdef Py_ssize_t first_choice(self, Exchange x, Cluster cluster) noexcept:
        """The place of the host for a request whose session, if any, is nobody's; -1: there is none."""
        if x.has_hash:
            x.affinity = AFFINITY_HASH
        elif x.opens_session and x.route.affinity.least_sessions:
            x.affinity = AFFINITY_LEAST
            return cluster.placement.choose(cluster.balancer, self.runtime.sessions)
        else:
            x.affinity = AFFINITY_RANDOM
        return cluster.balancer.choose(x.hash, x.has_hash)

    cdef int plan_request(self, Exchange x, RequestHead *plan) except -1:
        """Decide what the upstream is told about the request; the slices live until the head is written."""
        plan.is_upgrade = x.is_upgrade
        plan.keeps_expect = x.manager.proxy_100_continue and x.minor_version
        plan.is_chunked = self.head.is_chunked and not x.is_upgrade
        plan.needs_length = not x.is_upgrade and self.head.content_length < 0 and not self.head.is_chunked and not (
            equals(self.head.method, b"get") or x.is_head or equals(self.head.method, b"delete")
            or equals(self.head.method, b"trace"))
        plan.timeout_ms = 0 if x.manager.suppress_envoy_headers else x.timeout_ms
        plan.attempt_count = 1 if x.route.attempt_count_in_request else 0
