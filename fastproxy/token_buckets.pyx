"""Token buckets of one word each, in memory that all processes share.

The word is the time at which the bucket will be full (of one clock for all processes, such as CLOCK_MONOTONIC, in
nanoseconds), so zero is a full one and nobody has to fill it. A token taken moves that time on by one period; it may
lie ahead by as long as an empty bucket needs to fill. Tokens come one after the other, not an interval's at once
(the generic cell rate algorithm: ITU-T I.371, annex A; Envoy's AtomicTokenBucket counts alike).

One compare-and-swap takes a token, and who dies before it has taken none.
"""

from libc.stdint cimport uint64_t

from fastproxy._session_words cimport load, swap

cdef uint64_t LONGEST_NS = 1 << 62


cdef BucketRate bucket_rate(object model) except *:
    """What a model.TokenBucket says. Not more than one token a nanosecond, and none is waited for beyond 146 years."""
    cdef BucketRate rate
    period_ns = max(1, round(model.fill_interval_s * 1e9 / model.tokens_per_fill))
    rate.period_ns = min(period_ns, LONGEST_NS)
    rate.full_ns = min(period_ns * model.max_tokens, LONGEST_NS)
    return rate


# hot

cdef uint64_t bucket_take(uint64_t *word, const BucketRate *rate, uint64_t now_ns) noexcept nogil:
    """Take a token: 0, or how long there will be none."""
    return take(word, rate, rate.period_ns, now_ns)


cdef uint64_t bucket_take_many(uint64_t *word, const BucketRate *rate, uint64_t tokens, uint64_t now_ns) noexcept nogil:
    """Take so many tokens, or none: 0, or how long there will not be as many; LONGEST_NS where there never are."""
    return LONGEST_NS if tokens > rate.full_ns // rate.period_ns else take(word, rate, tokens * rate.period_ns, now_ns)


cdef inline uint64_t take(uint64_t *word, const BucketRate *rate, uint64_t taken_ns, uint64_t now_ns) noexcept nogil:
    cdef uint64_t seen, full_at_ns
    while True:
        seen = load(word)
        full_at_ns = (seen if seen > now_ns else now_ns) + taken_ns
        if full_at_ns - now_ns > rate.full_ns:
            return full_at_ns - now_ns - rate.full_ns
        if swap(word, seen, full_at_ns):
            return 0


cdef void bucket_give(uint64_t *word, const BucketRate *rate, uint64_t tokens, uint64_t now_ns) noexcept nogil:
    """Put so many tokens back, as far as there is room for them."""
    cdef uint64_t given_ns = rate.full_ns if tokens > rate.full_ns // rate.period_ns else tokens * rate.period_ns
    cdef uint64_t seen
    while True:
        seen = load(word)
        if seen <= now_ns or swap(word, seen, seen - min(given_ns, seen - now_ns)):
            return


cdef uint64_t bucket_left(const uint64_t *word, const BucketRate *rate, uint64_t now_ns) noexcept nogil:
    """How many whole tokens there are."""
    cdef uint64_t full_at_ns = load(word)
    cdef uint64_t missing_ns = full_at_ns - now_ns if full_at_ns > now_ns else 0
    return (rate.full_ns - missing_ns) // rate.period_ns if missing_ns < rate.full_ns else 0

# end hot


cdef class Bucket:
    """A bucket for Python, in the first word of a buffer."""

    cdef uint64_t[::1] view
    cdef BucketRate rate

    def __init__(self, buffer, model):
        self.view = buffer
        self.rate = bucket_rate(model)

    def take(self, uint64_t now_ns, uint64_t tokens=1):
        if tokens == 1:
            return bucket_take(&self.view[0], &self.rate, now_ns)
        return bucket_take_many(&self.view[0], &self.rate, tokens, now_ns)

    def give(self, uint64_t now_ns, uint64_t tokens):
        bucket_give(&self.view[0], &self.rate, tokens, now_ns)

    def left(self, uint64_t now_ns):
        return bucket_left(&self.view[0], &self.rate, now_ns)
