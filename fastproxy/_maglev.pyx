"""The Maglev table: consistent hashing with one look into an array, slot for slot as Envoy fills it.

Sources: "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016, section 3.4) and Envoy's maglev load
balancer, which adds the weights. A slot takes one, two or four bytes, as the number of hosts needs.
"""

from libc.stdlib cimport calloc, free, malloc

from fastproxy._ring cimport xx_hash_64


cdef class MaglevTable:
    """The table of one host set; immutable.

    `keys[i]` is the hash key of host i, `shares[i]` its weight as a part of all weights, and `size` a prime. Hosts take
    their slots in the order of their keys. Without hosts there are no slots. Raises ValueError when the arguments do
    not fit together.
    """

    def __cinit__(self, keys, shares, Py_ssize_t size):
        cdef size_t count = len(keys)
        cdef Walk *walks
        cdef uint32_t *hosts
        cdef uint64_t *taken
        cdef double greatest
        if <size_t> len(shares) != count or any(share <= 0 for share in shares):
            raise ValueError("a table needs one positive share for each key")
        if size < 2:
            raise ValueError(f"a table of {size} slots")
        if count == 0:
            return
        self.slot_bytes = 1 if count <= 1 << 8 else 2 if count <= 1 << 16 else 4
        self.slots = <uint8_t *> malloc(size * self.slot_bytes)
        walks = <Walk *> calloc(count, sizeof(Walk))
        hosts = <uint32_t *> calloc(count, sizeof(uint32_t))
        taken = <uint64_t *> calloc(size // 64 + 1, sizeof(uint64_t))
        try:
            if self.slots == NULL or walks == NULL or hosts == NULL or taken == NULL:
                raise MemoryError
            self.size = size
            for place, host in enumerate(sorted(range(count), key=keys.__getitem__)):
                hosts[<size_t> place] = host
                begin(&walks[<size_t> place], keys[host], shares[host], size)
            greatest = max(shares)
            with nogil:
                self.fill(walks, hosts, count, greatest, taken)
        finally:
            free(walks)
            free(hosts)
            free(taken)

    def __dealloc__(self):
        free(self.slots)

    # hot

    cdef void fill(
            self, Walk *walks, const uint32_t *hosts, size_t count, double greatest, uint64_t *taken) noexcept nogil:
        """In rounds: the host with the greatest share takes a slot in each, another one in its proportion to it."""
        cdef size_t place, slot, filled = 0, size = self.size
        cdef uint64_t turn = 0
        cdef Walk *walk
        while True:
            turn += 1
            for place in range(count):
                walk = &walks[place]
                if <double> turn * walk.share < walk.target:
                    continue
                walk.target += greatest
                slot = walk.next
                while taken[slot >> 6] >> (slot & 63) & 1:
                    slot += walk.skip
                    if slot >= size:
                        slot -= size
                taken[slot >> 6] |= 1ULL << (slot & 63)
                self.set(slot, hosts[place])
                walk.next = slot + walk.skip if slot + walk.skip < size else slot + walk.skip - size
                filled += 1
                if filled == size:
                    return

    cdef void set(self, size_t slot, uint32_t host) noexcept nogil:
        if self.slot_bytes == 1:
            self.slots[slot] = <uint8_t> host
        elif self.slot_bytes == 2:
            (<uint16_t *> self.slots)[slot] = <uint16_t> host
        else:
            (<uint32_t *> self.slots)[slot] = host

    cdef uint32_t host_at(self, size_t slot) noexcept nogil:
        if self.slot_bytes == 1:
            return self.slots[slot]
        if self.slot_bytes == 2:
            return (<uint16_t *> self.slots)[slot]
        return (<uint32_t *> self.slots)[slot]

    cdef size_t slot_of(self, uint64_t request_hash, uint64_t attempt) noexcept nogil:
        """Of a table that has slots; attempts other than 0 look elsewhere."""
        return (request_hash ^ (0 - attempt)) % <uint64_t> self.size

    # end hot

    def choose_py(self, request_hash, attempt=0):
        """Index of the host in the slot of the hash; None when the table is empty."""
        return self.host_at(self.slot_of(request_hash, attempt)) if self.size else None

    def entries(self):
        """The host of every slot."""
        return [self.host_at(slot) for slot in range(self.size)]


cdef int begin(Walk *walk, bytes key, double share, uint64_t size) except -1:
    """Where the host looks first, and how far it goes on when that slot is taken."""
    walk.next = xx_hash_64(key, len(key), 0) % size
    walk.skip = xx_hash_64(key, len(key), 1) % (size - 1) + 1
    walk.share = share
    return 0
