"""The policies that send equal hashes to the same host: ring_hash and maglev, with or without a bound on the load."""

from fastproxy._ring cimport NO_HOST

from fastproxy.model import HashFunction

cdef enum:
    MAX_ATTEMPTS = 4096  # looks for a host that was not tried; then the order of the configuration will do


cdef class HashBalancer(Balancer):
    """A ring or a table of hosts 0, 1, ..., which stand at `places` in the cluster. Without a hash any host."""

    cdef Py_ssize_t look_up(self, uint64_t hash, uint32_t attempt) noexcept nogil:
        """The host of a hash; other attempts give others, as Envoy's retries do. -1: there are no hosts."""
        return -1

    cdef Py_ssize_t choose(self, uint64_t hash, bint has_hash) noexcept:
        cdef Py_ssize_t index
        if not has_hash:
            hash = self.random()
        index = self.look_up(hash, 0)
        if index < 0:
            return -1
        if self.bound is not None:
            index = self.bound.choose(hash, index)
        return self.members[index]

    cdef Py_ssize_t choose_again(self, uint64_t hash, bint has_hash, uint32_t attempt) noexcept:
        cdef Py_ssize_t index
        if attempt == 0 or not has_hash:
            return self.choose(hash, has_hash)
        index = self.look_up(hash, attempt)
        return -1 if index < 0 else <Py_ssize_t> self.members[index]

    cdef Py_ssize_t choose_other(self, uint64_t hash, bint has_hash, Py_ssize_t first, set tried):
        """The next host along the ring, or in the order of the table's attempts, that was not tried."""
        cdef uint32_t attempt
        cdef Py_ssize_t index
        if has_hash and not all([place in tried for place in self.places]):
            for attempt in range(<uint32_t> MAX_ATTEMPTS):
                index = self.look_up(hash, attempt)
                if index < 0:
                    return -1
                if self.members[index] not in tried:
                    return self.members[index]
        return Balancer.choose_other(self, hash, has_hash, first, tried)


cdef class RingHash(HashBalancer):
    """The host whose ring entry follows the hash. `shares` are the hosts' parts of all weights."""

    def __init__(self, places, keys, shares, config, bound=None):
        Balancer.__init__(self, places, shares)
        self.bound = bound
        self.ring = Ring(
            keys, shares, minimum_size=config.minimum_ring_size, maximum_size=config.maximum_ring_size,
            murmur=config.hash_function is HashFunction.MURMUR_HASH_2, normalized=True,
        )

    cdef Py_ssize_t look_up(self, uint64_t hash, uint32_t attempt) noexcept nogil:
        cdef uint32_t host = self.ring.choose(hash, attempt)
        return -1 if host == NO_HOST else <Py_ssize_t> host

    def explain(self, hash):
        why = {"policy": "RingHash", "ring_size": self.ring.size, "first": -1}
        if hash is None or self.ring.size == 0:
            return why
        position, entry_hash = self.ring.position_py(hash)
        return why | {"position": position, "entry_hash": entry_hash, "first": self.pick(hash)}


cdef class Maglev(HashBalancer):
    """The host in the slot that the hash falls on."""

    def __init__(self, places, keys, shares, table_size, bound=None):
        Balancer.__init__(self, places, shares)
        self.bound = bound
        self.table = MaglevTable(keys, shares, table_size)

    cdef Py_ssize_t look_up(self, uint64_t hash, uint32_t attempt) noexcept nogil:
        if self.size == 0:
            return -1
        return self.table.host_at(self.table.slot_of(hash, attempt))

    def explain(self, hash):
        why = {"policy": "Maglev", "table_size": self.table.size, "first": -1}
        if hash is None or self.size == 0:
            return why
        return why | {"slot": self.table.slot_of(hash, 0), "first": self.pick(hash)}
