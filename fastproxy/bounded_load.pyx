"""Hosts that have more than their share of the requests are passed over (Envoy: hash_balance_factor).

A host may have `factor` per cent of its fair share of the requests under way, this one included. When the host of the
hash has more, the others are asked in an order that the hash alone decides: equal hashes overflow to the same hosts.

Sources: "Consistent Hashing with Bounded Loads" (arXiv:1608.01350); Envoy's documentation and recordings;
Matsumoto and Nishimura's Mersenne Twister MT19937, which Envoy draws from.
"""

from libc.math cimport ceil
from libc.stdlib cimport calloc, free


cdef class BoundedLoad:
    """Hosts 0, 1, ... of a ring or table: their places in the cluster and their parts of all weights."""

    def __init__(self, places, shares, active, factor):
        cdef Py_ssize_t i
        self.size = len(places)
        self.active = active
        self.factor = factor
        self.places = <uint32_t *> calloc(self.size + 1, sizeof(uint32_t))
        self.shuffled = <uint32_t *> calloc(self.size + 1, sizeof(uint32_t))
        self.shares = <double *> calloc(self.size + 1, sizeof(double))
        if self.places == NULL or self.shuffled == NULL or self.shares == NULL:
            raise MemoryError
        for i in range(self.size):
            self.places[i] = places[i]
            self.shares[i] = shares[i]

    def __dealloc__(self):
        free(self.places)
        free(self.shuffled)
        free(self.shares)

    # hot

    cdef double load(self, Py_ssize_t index, uint64_t in_cluster) noexcept nogil:
        """Requests under way at a host by those that it may have; above 1 it has too many."""
        cdef uint32_t total = (<uint32_t> (in_cluster + 1) * self.factor + 99) // 100
        cdef uint32_t slots = <uint32_t> ceil(total * self.shares[index])
        if slots == 0:
            slots = 1
        return <double> self.active.at_host(self.places[index]) / slots

    cdef Py_ssize_t choose(self, uint64_t hash, Py_ssize_t first) noexcept nogil:
        """`first`, the host of the hash, or whom its request overflows to."""
        cdef uint64_t in_cluster = self.active.in_cluster()
        if self.load(first, in_cluster) <= 1.0:
            return first
        return self.another(hash, first, in_cluster)

    cdef Py_ssize_t another(self, uint64_t hash, Py_ssize_t first, uint64_t in_cluster) noexcept nogil:
        """The first of the shuffled hosts that may have another request, else the one with the least load."""
        cdef Py_ssize_t i, j, index, least = first
        cdef double load, least_load = self.load(first, in_cluster)
        for i in range(self.size):
            self.shuffled[i] = <uint32_t> i
        twister_seed(&self.twister, <uint32_t> hash)
        for i in range(self.size):
            j = i + draw_below(&self.twister, <uint32_t> (self.size - i))
            index = self.shuffled[j]
            self.shuffled[j] = self.shuffled[i]
            self.shuffled[i] = <uint32_t> index
            if index == first:
                continue
            load = self.load(index, in_cluster)
            if load <= 1.0:
                return index
            if load < least_load:
                least, least_load = index, load
        return least

    # end hot

    def choose_py(self, hash, first):
        """The host for a hash whose own host is `first`."""
        return self.choose(hash, first)


# hot

cdef uint32_t draw_below(Twister *twister, uint32_t limit) noexcept nogil:
    cdef uint32_t drawn = limit
    cdef uint32_t divisor = <uint32_t> ((1ULL << 32) // limit) if limit > 1 else 0
    if divisor == 0:
        twister_draw(twister)  # of one number, which is below 1 at once
        return 0
    while drawn >= limit:
        drawn = twister_draw(twister) // divisor
    return drawn


cdef void twister_seed(Twister *twister, uint32_t seed) noexcept nogil:
    cdef uint32_t i, word = seed
    twister.words[0] = word
    for i in range(1, <uint32_t> TWISTER_WORDS):
        word = <uint32_t> 1812433253 * (word ^ (word >> 30)) + i
        twister.words[i] = word
    twister.next = 0


cdef uint32_t twister_draw(Twister *twister) noexcept nogil:
    """The next 32 bits. Words are renewed one by one: few are drawn, and renewing all would cost more than drawing."""
    cdef int i = twister.next
    cdef int after = i + 1 if i + 1 < TWISTER_WORDS else 0
    cdef int far = i + 397 if i + 397 < TWISTER_WORDS else i + 397 - TWISTER_WORDS
    cdef uint32_t word = (twister.words[i] & <uint32_t> 0x80000000) | (twister.words[after] & 0x7FFFFFFF)
    word = twister.words[far] ^ (word >> 1) ^ (<uint32_t> 0x9908B0DF if word & 1 else 0)
    twister.words[i] = word
    twister.next = after
    word ^= word >> 11
    word ^= (word << 7) & <uint32_t> 0x9D2C5680
    word ^= (word << 15) & <uint32_t> 0xEFC60000
    return word ^ (word >> 18)

# end hot


def draws(seed, count):
    """The first numbers of the generator with that seed."""
    cdef Twister twister
    twister_seed(&twister, seed)
    return [twister_draw(&twister) for _ in range(count)]
