"""Token buckets by key, so many in memory that all processes share: one for each client that is limited by itself.

Layout. Sets of eight words, a cache line each; the keyed hash of a key (SipHash) names its set, so nobody can aim at
one.

    tag      20 bits of the hash
    full at  44 bits: when the bucket will be full, in sixteenths of a millisecond of one clock for all processes (34
             years after the boot of a machine the bits are used up)

A bucket that is full says nothing, so a key that has no word yet takes over the one that is full soonest; zero is
full. As long as eight busy keys do not meet in a set nothing is forgotten; if they do, the least busy one begins anew,
and the caller is told. Two keys of one set share a bucket when their tags are equal, once in 130,000 times.
A token is taken by one compare-and-swap of the whole word, and who dies before it has taken none.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from fastproxy._session_words cimport load, swap
from fastproxy._sip_hash cimport sip_hash_128

cdef enum:
    WAYS = 8
    FULL_AT_BITS = 44
    ATTEMPTS = 16

cdef uint64_t FULL_AT_MASK = (<uint64_t> 1 << FULL_AT_BITS) - 1
cdef uint64_t LONGEST_TICKS = <uint64_t> 1 << 40


def keyed_bytes(size_t buckets):
    """Memory for at least so many buckets."""
    return (buckets + WAYS - 1) // WAYS * WAYS * sizeof(uint64_t)


cdef KeyedRate keyed_rate(double per_second, uint64_t burst) noexcept:
    """Rates from 16,000 tokens a second down to one in two years; a burst of at least one."""
    cdef KeyedRate rate
    cdef double ticks = TICKS_PER_MS * 1000.0 / per_second
    rate.period_ticks = max(<uint64_t> 1, min(LONGEST_TICKS, <uint64_t> min(ticks + 0.5, 1e15)))
    rate.full_ticks = min(LONGEST_TICKS, rate.period_ticks * max(<uint64_t> 1, min(burst, <uint64_t> 1 << 20)))
    return rate


cdef class KeyedBuckets:
    """Over `region`, a writable buffer of words ('Q') of `keyed_bytes`; `key` is 16 secret bytes, the same in every
    process."""

    def __init__(self, region, key):
        cdef uint64_t[::1] view = region
        if len(key) != sizeof(self.key) or len(region) < WAYS:
            raise ValueError("a key of 16 bytes and room for a set are needed")
        self.owner = region
        self.words = &view[0]
        self.sets = len(region) // WAYS
        memcpy(self.key, <const char *> key, sizeof(self.key))

    # hot

    cdef uint64_t take(
        self, const char *key, size_t length, const KeyedRate *rate, uint64_t now_ms, bint *is_crowded
    ) noexcept nogil:
        """Take a token of the key's bucket: 0, or for how many milliseconds it will have none."""
        return self.take_many(key, length, rate, 1, now_ms, is_crowded)

    cdef uint64_t take_many(
        self, const char *key, size_t length, const KeyedRate *rate, uint64_t tokens, uint64_t now_ms, bint *is_crowded
    ) noexcept nogil:
        """Take so many tokens of the key's bucket, or none: 0, or for how many milliseconds it will not have them."""
        cdef uint64_t taken_ticks = rate.period_ticks * tokens
        cdef uint64_t digest[2]
        cdef uint64_t tag, seen, full_at, now = now_ms * TICKS_PER_MS
        cdef uint64_t *words
        cdef int _attempt, way
        sip_hash_128(self.key, key, length, digest)
        words = self.words + digest[0] % self.sets * WAYS
        tag = digest[1] << FULL_AT_BITS
        is_crowded[0] = False
        for _attempt in range(ATTEMPTS):
            way = place_of(words, tag, &seen)
            full_at = seen & FULL_AT_MASK
            if seen & ~FULL_AT_MASK != tag:
                is_crowded[0] = full_at > now
                full_at = now
            full_at = max(full_at, now) + taken_ticks
            if full_at - now > rate.full_ticks:
                return (full_at - now - rate.full_ticks + TICKS_PER_MS - 1) // TICKS_PER_MS
            if swap(&words[way], seen, tag | full_at):
                return 0
        return 0

    cdef void put_back(
        self, const char *key, size_t length, const KeyedRate *rate, uint64_t tokens, uint64_t now_ms
    ) noexcept nogil:
        """Put so many tokens back into the key's bucket, as far as there is room for them."""
        cdef uint64_t given_ticks = min(tokens, rate.full_ticks // rate.period_ticks + 1) * rate.period_ticks
        cdef uint64_t digest[2]
        cdef uint64_t tag, seen, now = now_ms * TICKS_PER_MS
        cdef uint64_t *words
        cdef int _attempt, way
        sip_hash_128(self.key, key, length, digest)
        words = self.words + digest[0] % self.sets * WAYS
        tag = digest[1] << FULL_AT_BITS
        for _attempt in range(ATTEMPTS):
            way = place_of(words, tag, &seen)
            if seen & ~FULL_AT_MASK != tag or seen & FULL_AT_MASK <= now:
                return
            if swap(&words[way], seen, seen - min(given_ticks, (seen & FULL_AT_MASK) - now)):
                return

    cdef uint64_t missing_ticks(self, const char *key, size_t length, uint64_t now_ms) noexcept nogil:
        """How long the key's bucket needs to be full."""
        cdef uint64_t digest[2]
        cdef uint64_t tag, seen, now = now_ms * TICKS_PER_MS
        sip_hash_128(self.key, key, length, digest)
        tag = digest[1] << FULL_AT_BITS
        place_of(self.words + digest[0] % self.sets * WAYS, tag, &seen)
        return (seen & FULL_AT_MASK) - now if seen & ~FULL_AT_MASK == tag and seen & FULL_AT_MASK > now else 0

    # end hot

    def allow(self, key, double per_second, uint64_t burst, uint64_t now_ms, uint64_t tokens=1):
        """`take_many` for Python: how long to wait, and whether another key's bucket that was not full had to go."""
        cdef KeyedRate rate = keyed_rate(per_second, burst)
        cdef bint is_crowded = False
        return self.take_many(key, len(key), &rate, tokens, now_ms, &is_crowded), bool(is_crowded)

    def give(self, key, double per_second, uint64_t burst, uint64_t now_ms, uint64_t tokens):
        """`put_back` for Python."""
        cdef KeyedRate rate = keyed_rate(per_second, burst)
        self.put_back(key, len(key), &rate, tokens, now_ms)

    def missing_ms(self, key, uint64_t now_ms):
        """`missing_ticks` for Python."""
        return self.missing_ticks(key, len(key), now_ms) / TICKS_PER_MS


# hot

cdef inline int place_of(uint64_t *words, uint64_t tag, uint64_t *seen) noexcept nogil:
    """The word of a tag, or that which is full soonest, and what it says."""
    cdef uint64_t word
    cdef int way, best = 0
    seen[0] = ~<uint64_t> 0
    for way in range(WAYS):
        word = load(&words[way])
        if word and word & ~FULL_AT_MASK == tag:
            seen[0] = word
            return way
        if way == 0 or word & FULL_AT_MASK < seen[0] & FULL_AT_MASK:
            seen[0] = word
            best = way
    return best

# end hot
