"""The limits of routes and connection managers, made ready for one worker.

Counters are the worker's own; the word of a bucket lies in the first worker's row, where all take from it.
"""

from libc.stdint cimport uint64_t

from fastproxy.counters cimport (
    local_rate_limit_enabled, local_rate_limit_enforced, local_rate_limit_ok, local_rate_limit_rate_limited,
)
from fastproxy.header_rules import HeaderRules
from fastproxy.model import NO_LIMITS, HeaderRules as RulesModel
from fastproxy.scopes import bucket_scope
from fastproxy.token_buckets cimport bucket_left, bucket_rate, bucket_take

cdef enum:
    WHOLE = 1000000  # model_routes.WHOLE: of a share

cdef uint64_t NS_PER_MS = 1000000
cdef uint64_t NS_PER_S = 1000000000
cdef tuple WORDS = ("passes", "exceeded", "enforced")  # by LimitVerdict


cdef class LocalRateLimit:
    """One entry of Envoy's filter `local_ratelimit`."""

    def __init__(self, model, layout, row, first_row):
        cdef uint64_t[::1] own = row, first = first_row
        self.model = model
        self.owners = (row, first_row)
        self.counters = &own[0] + <Py_ssize_t> layout.block("local_rate_limit", model.stat_prefix)
        self.bucket = &first[0] + <Py_ssize_t> layout.block("bucket", bucket_scope(model.place, model.bucket))
        self.rate = bucket_rate(model.bucket)
        self.enabled = model.enabled
        self.enforced = model.enforced
        self.status = model.status
        self.tells_clients = model.tells_clients
        added = RulesModel(request_add=model.request_add, response_add=model.response_add)
        self.rules = () if added == RulesModel() else (HeaderRules(added),)

    # hot

    cdef LimitVerdict judge(self, uint64_t random, uint64_t now_ms) noexcept:
        """Take a token for a request, and count; `random` decides who takes part where that is a share."""
        if random % WHOLE >= self.enabled:
            return LIMIT_PASSES
        self.counters[<int> local_rate_limit_enabled] += 1
        if bucket_take(self.bucket, &self.rate, now_ms * NS_PER_MS) == 0:
            self.counters[<int> local_rate_limit_ok] += 1
            return LIMIT_PASSES
        self.counters[<int> local_rate_limit_rate_limited] += 1
        if random // WHOLE % WHOLE >= self.enforced:
            return LIMIT_EXCEEDED
        self.counters[<int> local_rate_limit_enforced] += 1
        return LIMIT_ENFORCED

    # end hot

    cdef list told(self, uint64_t now_ms):
        """The headers that say what is left (draft-ietf-httpapi-ratelimit-headers-03, as Envoy fills them in)."""
        cdef uint64_t now_ns = now_ms * NS_PER_MS
        cdef uint64_t left = bucket_left(self.bucket, &self.rate, now_ns)
        cdef uint64_t wait_ns = 0
        if left == 0:
            wait_ns = self.bucket[0] + self.rate.period_ns - self.rate.full_ns - now_ns
        return [
            (b"x-ratelimit-limit", b"%d" % self.model.bucket.max_tokens),
            (b"x-ratelimit-remaining", b"%d" % left),
            (b"x-ratelimit-reset", b"%d" % ((wait_ns + NS_PER_S - 1) // NS_PER_S)),
        ]

    def take(self, uint64_t random, uint64_t now_ms):
        """`judge` for Python: passes, exceeded or enforced."""
        return WORDS[<int> self.judge(random, now_ms)]


cdef class TrafficLimits:
    """What holds on a route, or where no route is found."""


cdef class LimitMaker:
    """Makes limits ready; what is equal is made once. `row` is the worker's own, `first_row` the first worker's."""

    cdef object layout, row, first_row
    cdef dict made

    def __init__(self, layout, row, first_row):
        self.layout = layout
        self.row = row
        self.first_row = first_row
        self.made = {}

    def ready(self, model):
        """The limits that `model` (model.TrafficLimits) asks for; None: it asks for none."""
        if model == NO_LIMITS:
            return None
        if model not in self.made:
            self.made[model] = self.make(model)
        return self.made[model]

    cdef TrafficLimits make(self, model):
        cdef TrafficLimits limits = TrafficLimits()
        limits.model = model
        limits.max_request_bytes = model.max_request_bytes
        if model.local_rate_limit is not None:
            limits.local_rate_limit = LocalRateLimit(model.local_rate_limit, self.layout, self.row, self.first_row)
        return limits
