"""How much of something is open for each key, all processes together: connections of an address, tunnels of a user.

Layout. A word for each worker that says whether its column was used; then the keys, in sets of eight, a cache line
each; then a column of counts for each worker. A key is the keyed hash of what the caller counts by (SipHash, never 0
or 1); its set is named by the other half of the hash.

Protocol, without locks. Each worker writes its own column only, so a worker that dies takes nothing with it but its
column, which its successor sets to zero.

* To count, a worker adds one to its column, and then looks whether the slot still is the key's and whether all columns
  together say too much; if so it takes the one back. Two that come at once may both be turned away where one could
  have entered; more than the most never enter.
* A slot whose columns are all zero is free. Who wants it replaces its key by 1, adds the columns up once more, and
  then writes its own key, or the old one where somebody had just counted. The other one either had counted before that
  sum, or finds afterwards that the slot is not its key's any more.
* Two workers may write one key to two slots of a set. What counts is the sum over both.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset

from fastproxy._session_words cimport add, load, swap
from fastproxy._sip_hash cimport sip_hash_128

cdef enum:
    WAYS = 8
    ATTEMPTS = 16
    CLAIMED = 1  # instead of a key

LIMITED = COUNT_LIMITED
NO_ROOM = COUNT_NO_ROOM


def counts_bytes(size_t slots, size_t workers):
    """Memory for at least so many keys."""
    slots = (slots + WAYS - 1) // WAYS * WAYS
    return (head_words(workers) + slots * (workers + 1)) * sizeof(uint64_t)


cdef size_t head_words(size_t workers) noexcept nogil:
    """Words in front of the keys, which begin with a cache line."""
    return (workers + WAYS - 1) // WAYS * WAYS


cdef class LiveCounts:
    """Over `region`, a writable buffer of words ('Q') of `counts_bytes` that begins with a cache line.

    `worker` is the number of this one among `workers`; `key` is 16 secret bytes, the same in every process.
    """

    def __init__(self, region, key, int worker, int workers):
        cdef uint64_t[::1] view = region
        cdef size_t head = head_words(workers)
        if len(key) != sizeof(self.key) or <size_t> len(region) < head + (workers + 1) * WAYS:
            raise ValueError("a key of 16 bytes and room for a set are needed")
        self.owner = region
        self.workers = workers
        self.slots = (len(region) - head) // (workers + 1) // WAYS * WAYS
        self.used = &view[worker]
        self.keys = &view[0] + head
        self.counts = self.keys + self.slots
        self.own = self.counts + worker * self.slots
        memcpy(self.key, <const char *> key, sizeof(self.key))
        if self.used[0]:
            memset(self.own, 0, self.slots * sizeof(uint64_t))

    # hot

    cdef int64_t take(self, const char *key, size_t length, uint64_t most) noexcept nogil:
        """Count one more: the slot where it is counted, for `give_back`; else COUNT_LIMITED or COUNT_NO_ROOM."""
        cdef uint64_t digest[2]
        cdef uint64_t first, hashed
        cdef int64_t slot
        cdef int _attempt
        sip_hash_128(self.key, key, length, digest)
        first = digest[0] % (self.slots // WAYS) * WAYS
        hashed = max(digest[1], <uint64_t> CLAIMED + 1)
        self.used[0] = 1
        for _attempt in range(ATTEMPTS):
            slot = self.slot_of(first, hashed)
            if slot < 0:
                slot = self.claim(first, hashed)
            if slot < 0:
                continue
            add(&self.own[slot], 1)
            if load(&self.keys[slot]) != hashed:
                self.give_back(slot)
                continue
            if self.total_of(first, hashed) > most:
                self.give_back(slot)
                return COUNT_LIMITED
            return slot
        return COUNT_NO_ROOM

    cdef void give_back(self, int64_t slot) noexcept nogil:
        """One less is open."""
        add(&self.own[slot], ~<uint64_t> 0)

    cdef uint64_t total(self, uint64_t slot) noexcept nogil:
        cdef uint64_t sum = 0
        cdef int worker
        for worker in range(self.workers):
            sum += load(&self.counts[worker * self.slots + slot])
        return sum

    cdef uint64_t total_of(self, uint64_t first, uint64_t key) noexcept nogil:
        """What is counted for a key in the set that begins at `first`."""
        cdef uint64_t sum = 0
        cdef int way
        for way in range(WAYS):
            if load(&self.keys[first + way]) == key:
                sum += self.total(first + way)
        return sum

    cdef int64_t slot_of(self, uint64_t first, uint64_t key) noexcept nogil:
        """The first slot of a key in a set; -1: it has none."""
        cdef int way
        for way in range(WAYS):
            if load(&self.keys[first + way]) == key:
                return first + way
        return -1

    cdef int64_t claim(self, uint64_t first, uint64_t key) noexcept nogil:
        """A free slot of a set, now the key's; -1: there is none, or another worker was quicker."""
        cdef uint64_t seen, slot
        cdef int way
        for way in range(WAYS):
            slot = first + way
            seen = load(&self.keys[slot])
            if self.total(slot) == 0 and swap(&self.keys[slot], seen, CLAIMED):
                if self.total(slot) != 0:
                    swap(&self.keys[slot], CLAIMED, seen)
                elif swap(&self.keys[slot], CLAIMED, key):
                    return slot
        return -1

    # end hot

    def enter(self, key, uint64_t most):
        """`take` for Python."""
        return self.take(key, len(key), most)

    def leave(self, slot):
        """`give_back` for Python."""
        self.give_back(slot)

    def open(self, key):
        """What is counted for a key."""
        cdef uint64_t digest[2]
        sip_hash_128(self.key, key, len(key), digest)
        return self.total_of(digest[0] % (self.slots // WAYS) * WAYS, max(digest[1], <uint64_t> CLAIMED + 1))
