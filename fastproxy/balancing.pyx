"""Which host of a cluster takes a request: Envoy's load balancing policies.

A balancer knows host numbers, weights and hash keys, and nothing else. A cluster's balancer is replaced as a whole
when its hosts change.
"""

from libc.stdlib cimport calloc, free

import os

from fastproxy.model import HashFunction, LbPolicy


cdef class Balancer:
    """Chooses one of `size` hosts; -1 when there are none."""

    def __cinit__(self, *args, **kwargs):
        self.random_state = int.from_bytes(os.urandom(8), "little") | 1

    cdef uint64_t random(self) noexcept nogil:
        """64 bits good enough to spread load (xorshift64*, Vigna 2016); never used for secrets."""
        self.random_state ^= self.random_state >> 12
        self.random_state ^= self.random_state << 25
        self.random_state ^= self.random_state >> 27
        return self.random_state * <uint64_t> 0x2545F4914F6CDD1D

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        return -1

    cdef Py_ssize_t choose_other(self, uint64_t hash, bint has_hash, Py_ssize_t first, set tried):
        """The next host after `first` that is not in `tried`, in the order of the configuration; -1: none is left."""
        cdef Py_ssize_t i
        for i in range(1, self.size):
            if (first + i) % self.size not in tried:
                return (first + i) % self.size
        return -1

    def pick(self, hash=None):
        """The host number for a request hash, or for no hash at all."""
        return self.choose(0 if hash is None else hash, hash is not None)

    def pick_other(self, hash, first, tried):
        """The host number to go on to when the hosts in `tried`, `first` before all, could not be reached."""
        return self.choose_other(0 if hash is None else hash, hash is not None, first, tried)


cdef class RoundRobin(Balancer):
    """Each host in turn, in proportion to its weight, evenly spread (smooth weighted round robin)."""

    def __init__(self, weights):
        cdef Py_ssize_t i
        self.size = len(weights)
        self.credits = <int64_t *> calloc(self.size + 1, sizeof(int64_t))
        self.weights = <uint32_t *> calloc(self.size + 1, sizeof(uint32_t))
        if self.credits == NULL or self.weights == NULL:
            raise MemoryError
        for i in range(self.size):
            self.weights[i] = weights[i]
            self.total += self.weights[i]

    def __dealloc__(self):
        free(self.credits)
        free(self.weights)

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        cdef Py_ssize_t i, best = -1
        for i in range(self.size):
            self.credits[i] += self.weights[i]
            if best < 0 or self.credits[i] > self.credits[best]:
                best = i
        if best >= 0:
            self.credits[best] -= self.total
        return best


cdef class Random(Balancer):
    """Any host, each as likely as the other."""

    def __init__(self, weights):
        self.size = len(weights)

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        return self.random() % self.size if self.size else -1


cdef class LeastRequest(Balancer):
    """Of two hosts drawn by lot the one with fewer requests under way (Envoy's choice_count 2)."""

    def __init__(self, weights):
        self.size = len(weights)
        self.active = <uint64_t **> calloc(self.size + 1, sizeof(uint64_t *))
        if self.active == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.active)

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        cdef Py_ssize_t a, b
        if self.size == 0:
            return -1
        a = self.random() % self.size
        b = self.random() % self.size
        return b if self.active[b] != NULL and self.active[b][0] < self.active[a][0] else a


cdef class RingHash(Balancer):
    """The host whose ring entry follows the request's hash; any host when the request has none."""

    def __init__(self, keys, weights, config):
        self.size = len(weights)
        self.ring = Ring(
            keys, weights, minimum_size=config.minimum_ring_size, maximum_size=config.maximum_ring_size,
            murmur=config.hash_function is HashFunction.MURMUR_HASH_2,
        )

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        if self.size == 0:
            return -1
        return self.ring.choose(hash if has_hash else self.random(), 0)

    cdef Py_ssize_t choose_other(self, uint64_t hash, bint has_hash, Py_ssize_t first, set tried):
        """The next host along the ring that was not tried."""
        cdef uint32_t attempt
        cdef Py_ssize_t host
        if not has_hash or self.size == 0:
            return Balancer.choose_other(self, hash, has_hash, first, tried)
        if len(tried) >= self.size:  # the ring may be long
            return -1
        for attempt in range(1, <uint32_t> self.ring.size):
            host = self.ring.choose(hash, attempt)
            if host not in tried:
                return host
        return -1


def balancer_for(cluster, hosts) -> Balancer:
    """The balancer that a cluster's `lb_policy` names, for the hosts that it has now."""
    weights = [host.weight for host in hosts]
    if cluster.lb_policy is LbPolicy.RING_HASH:
        keys = [(host.hash_key or str(host.address)).encode() for host in hosts]
        return RingHash(keys, weights, cluster.ring_hash)
    if cluster.lb_policy is LbPolicy.RANDOM:
        return Random(weights)
    if cluster.lb_policy is LbPolicy.LEAST_REQUEST:
        return LeastRequest(weights)
    return RoundRobin(weights)
