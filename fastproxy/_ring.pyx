"""The hash functions and the consistent-hash ring, bit for bit as Envoy has them.

Owns the arithmetic from a 64-bit request hash to the index of a host. Knows nothing of requests, hash policies
or the health of hosts: whoever builds a ring passes only the hosts that belong on it.

Sources: the xxHash specification (XXH64), MurmurHash64A as libstdc++ uses it for std::hash<std::string>,
Envoy's ring_hash load balancer. Words are read in the byte order of the machine, which must be little-endian.
"""

import math

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fastproxy._ring_sort cimport RingEntry, sort_by_buckets, sort_like_envoy

cdef extern from *:
    const uint64_t XX_PRIME_1 "0x9E3779B185EBCA87ULL"
    const uint64_t XX_PRIME_2 "0xC2B2AE3D27D4EB4FULL"
    const uint64_t XX_PRIME_3 "0x165667B19E3779F9ULL"
    const uint64_t XX_PRIME_4 "0x85EBCA77C2B2AE63ULL"
    const uint64_t XX_PRIME_5 "0x27D4EB2F165667C5ULL"
    const uint64_t MURMUR_MULTIPLIER "0xC6A4A7935BD1E995ULL"
    const uint64_t MURMUR_SEED "0xC70F6907ULL"

cdef enum:
    NUMBER_BYTES = 20  # the digits of the largest 64-bit number


cdef inline uint64_t rotate(uint64_t word, int bits) noexcept nogil:
    return (word << bits) | (word >> (64 - bits))


cdef inline uint64_t load_64(const char *data) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, data, 8)  # one load; a cast would assume alignment
    return word


cdef inline uint64_t load_32(const char *data) noexcept nogil:
    cdef uint32_t word
    memcpy(&word, data, 4)
    return word


cdef inline uint64_t xx_round(uint64_t lane, uint64_t word) noexcept nogil:
    return rotate(lane + word * XX_PRIME_2, 31) * XX_PRIME_1


cdef inline uint64_t xx_merge(uint64_t mixed, uint64_t lane) noexcept nogil:
    return (mixed ^ xx_round(0, lane)) * XX_PRIME_1 + XX_PRIME_4


cdef inline uint64_t xx_stripes(const char *data, size_t stripes, uint64_t seed) noexcept nogil:
    """Four lanes over `stripes` stripes of 32 bytes, converged to one word."""
    cdef uint64_t first = seed + XX_PRIME_1 + XX_PRIME_2
    cdef uint64_t second = seed + XX_PRIME_2
    cdef uint64_t third = seed
    cdef uint64_t fourth = seed - XX_PRIME_1
    cdef uint64_t mixed
    while stripes:
        first = xx_round(first, load_64(data))
        second = xx_round(second, load_64(data + 8))
        third = xx_round(third, load_64(data + 16))
        fourth = xx_round(fourth, load_64(data + 24))
        data += 32
        stripes -= 1
    mixed = rotate(first, 1) + rotate(second, 7) + rotate(third, 12) + rotate(fourth, 18)
    return xx_merge(xx_merge(xx_merge(xx_merge(mixed, first), second), third), fourth)


cdef inline uint64_t xx_tail(uint64_t mixed, const char *data, size_t left) noexcept nogil:
    """The last `left` (below 32) bytes: by eight, then four, then one."""
    while left >= 8:
        mixed = rotate(mixed ^ xx_round(0, load_64(data)), 27) * XX_PRIME_1 + XX_PRIME_4
        data += 8
        left -= 8
    if left >= 4:
        mixed = rotate(mixed ^ (load_32(data) * XX_PRIME_1), 23) * XX_PRIME_2 + XX_PRIME_3
        data += 4
        left -= 4
    while left:
        mixed = rotate(mixed ^ (<uint8_t>data[0] * XX_PRIME_5), 11) * XX_PRIME_1
        data += 1
        left -= 1
    return mixed


cdef uint64_t xx_hash_64(const char *data, size_t length, uint64_t seed) noexcept nogil:
    """XXH64 of `length` bytes."""
    cdef size_t stripes = length >> 5
    cdef uint64_t mixed = xx_stripes(data, stripes, seed) if stripes else seed + XX_PRIME_5
    mixed = xx_tail(mixed + length, data + (stripes << 5), length & 31)
    mixed = (mixed ^ (mixed >> 33)) * XX_PRIME_2
    mixed = (mixed ^ (mixed >> 29)) * XX_PRIME_3
    return mixed ^ (mixed >> 32)


cdef inline uint64_t shift_mix(uint64_t word) noexcept nogil:
    return word ^ (word >> 47)


cdef uint64_t murmur_hash_2(const char *data, size_t length) noexcept nogil:
    """MurmurHash64A with the seed of libstdc++: what Envoy calls MURMUR_HASH_2."""
    cdef uint64_t mixed = MURMUR_SEED ^ (length * MURMUR_MULTIPLIER)
    cdef uint64_t tail = 0
    cdef size_t left = length & 7
    cdef const char *end = data + (length - left)
    while data != end:
        mixed = (mixed ^ (shift_mix(load_64(data) * MURMUR_MULTIPLIER) * MURMUR_MULTIPLIER)) * MURMUR_MULTIPLIER
        data += 8
    if left:
        memcpy(&tail, data, left)
        mixed = (mixed ^ tail) * MURMUR_MULTIPLIER
    return shift_mix(shift_mix(mixed) * MURMUR_MULTIPLIER)


cdef inline size_t write_number(char *text, size_t number) noexcept nogil:
    """Decimal digits; how many."""
    cdef char digits[20]
    cdef size_t count = 0, i
    while True:
        digits[count] = <char> (c'0' + number % 10)
        count += 1
        number //= 10
        if number == 0:
            break
    for i in range(count):
        text[i] = digits[count - 1 - i]
    return count


cdef int add_entries(RingEntry *entries, size_t count, uint32_t host, bytes key, bint murmur) except -1:
    """Write `count` entries of one host: the hashes of key_0, key_1, ..."""
    cdef size_t length = len(key) + 1
    cdef size_t i, total
    cdef char *text = <char *>malloc(length + NUMBER_BYTES)
    if text == NULL:
        raise MemoryError
    memcpy(text, <const char *>key, length - 1)
    text[length - 1] = c'_'
    with nogil:
        for i in range(count):
            total = length + write_number(text + length, i)
            entries[i].hash = murmur_hash_2(text, total) if murmur else xx_hash_64(text, total, 0)
            entries[i].host = host
    free(text)
    return 0


def ring_ends(shares, minimum_size, maximum_size):
    """For each host the number of entries that it and the hosts before it have together.

    Python floats on purpose: a C compiler may fuse the product and the sum, and a ring that is one entry off
    sends keys elsewhere than Envoy does.
    """
    least = min(shares)
    scale = min(math.ceil(least * minimum_size) / least, maximum_size)
    target, entries, ends = 0.0, 0, []
    for share in shares:
        target += scale * share
        entries = max(entries, math.ceil(target))
        ends.append(entries)
    return ends


cdef class Ring:
    """The ring of one host set; immutable.

    `keys[i]` is the hash key of host i ("ip:port" or the configured one), `weights[i]` its weight, at least 1, or with
    `normalized` its part of all weights. A host of small weight may have no entry when `maximum_size` is small. Without
    hosts, or with a minimum of 0, the ring is empty.
    Raises ValueError when the arguments do not fit together.
    """

    def __cinit__(
            self, keys, weights, *, Py_ssize_t minimum_size, Py_ssize_t maximum_size, bint murmur,
            bint normalized=False):
        cdef list names = list(keys)
        cdef list ends
        if len(names) != len(weights) or any(weight <= 0 or weight < 1 and not normalized for weight in weights):
            raise ValueError("a ring needs one weight of at least 1 for each key")
        if not 0 <= minimum_size <= maximum_size:
            raise ValueError(f"ring sizes out of order: minimum {minimum_size}, maximum {maximum_size}")
        if names:
            total = 1 if normalized else sum(weights)
            ends = ring_ends([weight / total for weight in weights], minimum_size, maximum_size)
            self.size = max(ends)
        if self.size:
            self.hashes = <uint64_t *>malloc(self.size * sizeof(uint64_t))
            self.hosts = <uint32_t *>malloc(self.size * sizeof(uint32_t))
            if self.hashes == NULL or self.hosts == NULL:
                raise MemoryError
            self.fill(names, ends, murmur)

    def __dealloc__(self):
        free(self.hashes)
        free(self.hosts)

    cdef int fill(self, list keys, list ends, bint murmur) except -1:
        cdef Py_ssize_t host, end, start = 0
        cdef bint has_ties = len(set(keys)) < len(keys)
        cdef RingEntry *entries = <RingEntry *>malloc(self.size * sizeof(RingEntry))
        if entries == NULL:
            raise MemoryError
        try:
            for host in range(len(keys)):
                end = ends[host]
                add_entries(entries + start, end - start, <uint32_t>host, keys[host], murmur)
                start = end
            with nogil:
                if has_ties:
                    sort_like_envoy(entries, self.size)
                else:
                    sort_by_buckets(entries, self.size)
                for start in range(self.size):
                    self.hashes[start] = entries[start].hash
                    self.hosts[start] = entries[start].host
        finally:
            free(entries)
        return 0

    cdef size_t position(self, uint64_t request_hash) noexcept nogil:
        """Of the first entry at or after the hash; past the last entry the ring begins anew. Not of an empty ring."""
        cdef const uint64_t *base = self.hashes
        cdef size_t left = self.size
        cdef size_t half, index
        # hot
        while left > 1:  # no branch on the comparison: its outcome cannot be predicted
            half = left >> 1
            base += half * (base[half - 1] < request_hash)
            left -= half
        index = (base - self.hashes) + (base[0] < request_hash)
        return index if index < <size_t>self.size else 0
        # end hot

    cdef uint32_t choose(self, uint64_t request_hash, uint32_t attempt) noexcept nogil:
        """Index of the host of the entry at the hash, `attempt` entries further on. NO_HOST when the ring is empty."""
        if self.size == 0:
            return NO_HOST
        return self.hosts[(self.position(request_hash) + attempt) % <size_t>self.size]

    def choose_py(self, uint64_t request_hash, uint32_t attempt=0):
        """`choose` for Python; None when the ring is empty."""
        cdef uint32_t host = self.choose(request_hash, attempt)
        return None if host == NO_HOST else host

    def position_py(self, request_hash):
        """Number of the entry that a hash falls on, and that entry's hash; None when the ring is empty."""
        cdef size_t index
        if self.size == 0:
            return None
        index = self.position(request_hash)
        return index, self.hashes[index]

    def entries(self):
        """Every entry in ring order as (hash, host index)."""
        cdef Py_ssize_t i
        return [(self.hashes[i], self.hosts[i]) for i in range(self.size)]


def xx_hash(bytes data, uint64_t seed=0):
    return xx_hash_64(<const char *>data, len(data), seed)


def murmur(bytes data):
    return murmur_hash_2(<const char *>data, len(data))
