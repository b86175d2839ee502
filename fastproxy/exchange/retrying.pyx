"""Requests that are sent again as their routes' policies say (Envoy: retry_policy).

Between two tries an exchange has no upstream, and its downstream connection's timer wakes it. A session stays where it
is: its requests go to no other host, and those that a node may have begun with are not sent again at all where the
node would hand out the packets for the session's client twice, or for nobody.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from fastproxy.affinity_policy cimport AffinityPolicy
from fastproxy.connections cimport CONNECTING, Connection
from fastproxy.counters cimport (
    cluster_retry_or_shadow_abandoned, cluster_upstream_cx_none_healthy, cluster_upstream_cx_protocol_error,
    cluster_upstream_rq_per_try_idle_timeout, cluster_upstream_rq_per_try_timeout, cluster_upstream_rq_retry,
    cluster_upstream_rq_retry_backoff_exponential, cluster_upstream_rq_retry_backoff_ratelimited,
    cluster_upstream_rq_retry_limit_exceeded, cluster_upstream_rq_retry_overflow, cluster_upstream_rq_retry_success,
    cluster_upstream_rq_timeout, host_rq_error, host_rq_timeout,
)
from fastproxy.exchange.local_replies cimport NO_HEALTHY_UPSTREAM, RESET_PREFIX, RETRIED_PREFIX, UPSTREAM_TIMEOUT
from fastproxy.exchange.retries cimport Retries
from fastproxy.exchange.state cimport SID_NONE, Exchange
from fastproxy.exchange.timeouts cimport sooner
from fastproxy.heads cimport RequestHead
from fastproxy.http1 cimport TOKEN_CLOSE, TOKEN_KEEP_ALIVE
from fastproxy.model_routes import RetryPolicy as RetryPolicyModel
from fastproxy.response_flags cimport FLAG_UH, FLAG_UO, FLAG_URX, FLAG_UT
from fastproxy.retry_policies cimport CONNECT_FAILURES, RESETS, RetryPolicy
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Cluster, Host

cdef RetryPolicy NO_POLICY = RetryPolicy(RetryPolicyModel())
cdef bytes TOO_LARGE = b"exceeded request buffer limit while retrying upstream"


cdef class Retrying(OtherHosts):
    """Sends requests again."""

    cdef int begin_retries(self, Exchange x, const RequestFacts *facts, RequestHead *plan, dict fields) except -1:
        """Have the exchange retried as its route says, and `fields` of an internal request; what the upstream is told
        of the time that it has is that of one try."""
        cdef RetryPolicy policy = NO_POLICY if x.route.retry_policy is None else x.route.retry_policy
        cdef size_t max_bytes = x.manager.buffer_limit_bytes
        cdef Retries retries
        if x.question is not None:  # that is sent to one host after the other as long as none takes it
            return 0
        if x.route.request_buffer_bytes >= 0:
            max_bytes = <size_t> x.route.request_buffer_bytes
        retries = Retries(policy, self.held, max_bytes)
        if fields is not None:
            retries.obey(fields)
        if not policy.admits(facts):
            retries.reasons = 0
        if x.timeout_ms and retries.try_timeout_ms >= x.timeout_ms:
            retries.try_timeout_ms = 0
        if retries.try_timeout_ms and not x.manager.suppress_envoy_headers:
            plan.timeout_ms = retries.try_timeout_ms
        x.retries = retries
        return 0

    cdef int keep_for_retries(self, Exchange x, iovec *parts, int count) except -1:
        """Keep these pieces of the request for another try."""
        if x.retries.is_settled or x.retries.reasons == 0 or x.retries.keep(parts, count, x.bytes_received):
            return 0
        x.retries.reasons = 0
        x.cluster.counters[<int> cluster_retry_or_shadow_abandoned] += 1
        if x.retry_at_ms:  # it has failed, and what is needed for the next try is lost
            self.reply(x, 507, TOO_LARGE)

    # what is a reason

    cdef int connect_failed(self, Exchange x, bytes reason) except -1:
        cdef Host host = x.host
        if self.is_retried(x, CONNECT_FAILURES):
            host.counters[<int> host_rq_error] += 1
        else:
            OtherHosts.connect_failed(self, x, reason)

    cdef int protocol_error(self, Exchange x) except -1:
        cdef Connection *u = x.upstream
        if x.retries is not None and self.is_reset_retried(x):
            u.counters[<int> cluster_upstream_cx_protocol_error] += 1
            self.watch.origin_failed(x.host, 502)
        else:
            OtherHosts.protocol_error(self, x)

    cdef bint is_reset_retried(self, Exchange x):
        """The upstream has ended, or has to be given up, without an answer: whether there is another try."""
        cdef Host host = x.host
        if self.may_have_begun(x) or not self.is_retried(x, RESETS):
            return False
        host.counters[<int> host_rq_error] += 1
        return True

    cdef bint is_answer_retried(self, Exchange x, bint is_whole):
        """Whether the answer whose head was just parsed is thrown away for another try. `is_whole`: it has come to its
        end, so that its connection may be used again."""
        cdef int64_t stated_ms
        cdef bint keeps_alive = is_whole and x.request_body.done and not self.head.tokens & TOKEN_CLOSE and (
            self.head.minor_version == 1 or self.head.tokens & TOKEN_KEEP_ALIVE)
        if self.may_have_begun(x) or not x.retries.asks_again(&self.head) or not self.takes_retry(x):
            return False
        stated_ms = x.retries.policy.stated_delay_ms(
            &self.head, self.stamps.epoch_us(self.io.now_ms) // 1000000, self.stamps.random())
        x.host.counters[<int> host_rq_error] += 1
        self.watch.answered(x.host, self.head.status)
        self.watch.look(x.host, &self.head)
        self.note_reuse(x)
        self.leave_upstream(x, keeps_alive)
        self.retry_later(x, stated_ms)
        return True

    cdef bint may_have_begun(self, Exchange x) noexcept:
        """Whether the node may have done what must not be done twice: a poll takes the packets of its session."""
        return x.sid_state != SID_NONE and (
            x.protocol.takes_paths or x.protocol is (<AffinityPolicy> x.route.affinity).engine_io)

    cdef bint is_retried(self, Exchange x, uint32_t reasons):
        """Whether what has failed for any of these reasons is tried again; its upstream, if any, is given up then."""
        if x.retries is None or not x.retries.reasons & reasons or not self.takes_retry(x):
            return False
        self.drop_upstream(x)
        self.retry_later(x, -1)
        return True

    # whether there may be another try

    cdef bint takes_retry(self, Exchange x) noexcept:
        """Take one of the retries that are left; False when there is none, or the cluster has too many."""
        cdef Retries retries = x.retries
        self.end_retry(x)
        if retries.is_settled or retries.reasons == 0:
            return False
        if retries.left == 0:
            x.cluster.counters[<int> cluster_upstream_rq_retry_limit_exceeded] += 1
            x.response_flags |= FLAG_URX
            return False
        retries.left -= 1
        if not x.cluster.breakers.may_retry(x.route.priority):
            x.cluster.counters[<int> cluster_upstream_rq_retry_overflow] += 1
            x.response_flags |= FLAG_UO
            return False
        return True

    cdef void end_retry(self, Exchange x) noexcept:
        """The retry at hand, if any, is over."""
        if x.retries.is_counted:
            x.retries.is_counted = False
            x.cluster.breakers.retry_ends(x.route.priority)

    cdef int settle_retries(self, Exchange x) except -1:
        """The answer at hand is the one that the client gets."""
        self.end_retry(x)
        if x.retried and not x.retries.is_settled and not x.response_flags & (FLAG_URX | FLAG_UO):
            x.cluster.counters[<int> cluster_upstream_rq_retry_success] += 1
        x.retries.is_settled = True
        x.retries.forget()

    cdef void end(self, Exchange x) noexcept:
        if x.retries is not None:
            self.end_retry(x)
        OtherHosts.end(self, x)

    # the other try

    cdef int retry_later(self, Exchange x, int64_t stated_ms) except -1:
        """Have the request sent again after the policy's back-off, or after what the answer has stated."""
        cdef Cluster cluster = x.cluster
        cdef uint64_t delay_ms
        x.retries.note_tried(x.host)
        x.retries.is_counted = True
        cluster.breakers.retry_begins(x.route.priority)
        x.retried += 1
        x.partial = None
        x.answer_is_held = False
        cluster.counters[<int> cluster_upstream_rq_retry] += 1
        if stated_ms >= 0:
            delay_ms = stated_ms
            cluster.counters[<int> cluster_upstream_rq_retry_backoff_ratelimited] += 1
        else:
            delay_ms = x.retries.policy.delay_ms(x.retried, self.stamps.random())
            cluster.counters[<int> cluster_upstream_rq_retry_backoff_exponential] += 1
        delay_ms = max(delay_ms, <uint64_t> 1)
        if x.response_deadline_ms:
            delay_ms = sooner(delay_ms, x.response_deadline_ms, self.io.now_ms)
        x.retry_at_ms = self.io.now_ms + delay_ms
        self.set_stream_timer(x)

    cdef int retry_now(self, Exchange x) except -1:
        """The back-off is over."""
        x.retry_at_ms = 0
        if x.response_deadline_ms and self.io.now_ms >= x.response_deadline_ms:
            self.response_is_late(x)
        elif self.choose_again(x):
            self.send_again(x)
            if x.downstream != NULL:
                self.set_stream_timer(x)
        else:
            x.response_flags |= FLAG_UH
            x.cluster.counters[<int> cluster_upstream_cx_none_healthy] += 1
            self.reply(x, 503, NO_HEALTHY_UPSTREAM)

    cdef int send_again(self, Exchange x) except -1:
        """Send what has come of the request; the rest follows as it comes."""
        cdef Retries retries = x.retries
        cdef uint64_t expected_ms = retries.try_timeout_ms
        cdef bytes head
        cdef iovec parts[2]
        x.needs_new_connection = False
        if x.response_deadline_ms:
            expected_ms = sooner(expected_ms, x.response_deadline_ms, self.io.now_ms)
        head = retries.head_of_try(x.retried + 1, expected_ms or x.timeout_ms, self.name_of_try(x))
        parts[0].iov_base = <char *> head
        parts[0].iov_len = len(head)
        parts[1].iov_base = retries.request.data + retries.request.start + retries.head_bytes
        parts[1].iov_len = retries.request.end - retries.request.start - retries.head_bytes
        self.attempt(x, parts, 2 if parts[1].iov_len else 1)

    # how long a try may take

    cdef void request_complete(self, Exchange x) noexcept:
        cdef uint64_t sent_ms = x.sent_ms
        OtherHosts.request_complete(self, x)
        if x.retried and sent_ms:
            x.sent_ms = sent_ms  # service time and access log count from the first try on
        if x.retries is not None:
            self.start_try_timer(x)

    cdef void start_try_timer(self, Exchange x) noexcept:
        """The request is with the upstream: from here a try's own timeouts run."""
        if x.upstream != NULL and not x.upstream.flags & CONNECTING:
            x.retries.try_began_ms = x.retries.active_ms = self.io.now_ms
            self.set_try_timer(x)

    cdef void set_try_timer(self, Exchange x) noexcept:
        cdef uint64_t ends_ms = x.retries.ends_ms()
        cdef uint64_t delay_ms = sooner(0, ends_ms, self.io.now_ms) if ends_ms else 0
        if x.response_deadline_ms:
            delay_ms = sooner(delay_ms, x.response_deadline_ms, self.io.now_ms)
        self.io.set_timer(x.upstream, delay_ms)

    cdef int try_is_late(self, Exchange x) except -1:
        """The timer of a try has fired, and it is not the route's timeout: try again, or answer."""
        cdef Retries retries = x.retries
        cdef uint64_t ends_ms = retries.ends_ms()
        cdef bint is_idle = retries.idle_timeout_ms and self.io.now_ms >= retries.active_ms + retries.idle_timeout_ms
        if ends_ms == 0 or self.io.now_ms < ends_ms:
            self.set_try_timer(x)
            return 0
        x.upstream.counters[<int> (
            cluster_upstream_rq_per_try_idle_timeout if is_idle else cluster_upstream_rq_per_try_timeout)] += 1
        x.host.counters[<int> host_rq_timeout] += 1
        self.watch.origin_failed(x.host, 504)
        if not self.is_reset_retried(x):
            x.response_flags |= FLAG_UT
            self.reply(x, 504, UPSTREAM_TIMEOUT)

    cdef int response_is_late(self, Exchange x) except -1:
        """The route's timeout covers all tries."""
        x.cluster.counters[<int> cluster_upstream_rq_timeout] += 1
        x.host.counters[<int> host_rq_timeout] += 1
        # a node may hold a poll as long as it likes
        if x.upstream != NULL and not x.response_started and (x.protocol is None or x.opens_session):
            self.watch.origin_failed(x.host, 504)
        x.response_flags |= FLAG_UT
        self.reply(x, 504, UPSTREAM_TIMEOUT)

    cdef int reply(self, Exchange x, int status, bytes body) except -1:
        x.retry_at_ms = 0
        if x.retried and body.startswith(RESET_PREFIX):
            body = RETRIED_PREFIX + body[len(RESET_PREFIX):]
        OtherHosts.reply(self, x, status, body)
