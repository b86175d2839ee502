"""The session table: `_session_slots` with what keeps it small and tells what is in it, and its face for Python.

What has expired is swept away by and by, so that the hosts' counts of live sessions go down in time.
"""

from libc.stdint cimport uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy

from fastproxy._session_buckets cimport BUCKET_BYTES, SLOTS, Sealed, Slot
from fastproxy._session_hosts cimport HOSTS_BYTES
from fastproxy._session_words cimport add, expiry_of, load, swap
from fastproxy._sip_hash cimport sip_hash_128

cdef extern from "<sys/mman.h>" nogil:
    int mincore(void *address, size_t length, unsigned char *pages)

cdef extern from "<unistd.h>" nogil:
    int _SC_PAGESIZE
    long sysconf(int name)

cdef enum:
    SHARES = 60  # parts that the table is swept in

cdef size_t page_bytes = sysconf(_SC_PAGESIZE)


def region_bytes(size_t slots):
    """Memory for the registry of hosts and at least so many slots; 0 for none at all."""
    return HOSTS_BYTES + (slots + SLOTS - 1) // SLOTS * BUCKET_BYTES if slots else 0


cdef inline bint is_present(const void *address) noexcept nogil:
    """Whether the page at the address was ever used. Where the kernel will not say, it was."""
    cdef uintptr_t page = <uintptr_t> address - <uintptr_t> address % page_bytes
    cdef unsigned char present = 1
    mincore(<void *> page, page_bytes, &present)
    return present & 1


cdef class SessionTable(SessionSlots):
    """The table over `buffer`, a writable region of `region_bytes` that other processes may have mapped too.

    `key` is 16 secret random bytes, the same in every process. Raises ValueError when key or buffer do not serve.
    """

    cdef size_t sweep_present(self, size_t start, size_t end, uint32_t now_s) noexcept nogil:
        cdef size_t swept = 0
        cdef uint64_t value
        while start < end:
            value = load(&self.slots[start].value)
            if value and expiry_of(value) <= now_s and swap(&self.slots[start].value, value, 0):
                self.hosts.release(value)
                swept += 1
            start += 1
        return swept

    cdef size_t live_in(self, size_t start, size_t end, uint32_t now_s) noexcept nogil:
        """Live entries of the slots from `start` to `end`."""
        cdef size_t live = 0
        while start < end:
            live += expiry_of(load(&self.slots[start].value)) > now_s
            start += 1
        return live

    cdef inline size_t page_end(self, size_t start, size_t end) noexcept nogil:
        """Where the page of a slot ends, or `end`."""
        cdef size_t left = page_bytes - <uintptr_t> (self.slots + start) % page_bytes
        return min(start + left // sizeof(Slot), end)

    cpdef size_t sweep(self, size_t start, size_t count, uint32_t now_s) noexcept:
        """Remove what has expired from the slots `start` up to `start + count`; how many that were. As in `count`,
        memory never used is not brought into being by looking."""
        cdef size_t stop, swept = 0, end = min(start + count, <size_t> self.buckets * SLOTS)
        while start < end:
            stop = self.page_end(start, end)
            if is_present(self.slots + start):
                swept += self.sweep_present(start, stop, now_s)
            start = stop
        return swept

    cpdef size_t sweep_share(self, uint32_t now_s) noexcept:
        """Sweep the next sixtieth of the table, after what any process swept last."""
        cdef size_t total = self.buckets * SLOTS
        cdef size_t share = total // SHARES + 1
        cdef size_t start = add(&self.hosts.head.sweeper, share) % total
        cdef size_t swept = self.sweep(start, share, now_s)
        return swept + self.sweep(0, max(start + share, total) - total, now_s)

    def count(self, uint32_t now_s):
        """Live entries, roughly: others write meanwhile."""
        cdef size_t stop, start = 0, live = 0, end = self.buckets * SLOTS
        while start < end:
            stop = self.page_end(start, end)
            if is_present(self.slots + start):
                live += self.live_in(start, stop, now_s)
            start = stop
        return live

    def counts(self):
        """`live_at` by digest, for each host that an id was learned for and is not removed."""
        return self.hosts.counts()

    @property
    def capacity(self):
        """Slots of the table."""
        return self.buckets * SLOTS

    def get(self, bytes sid, uint32_t now_s):
        """`find` for Python: the host's digest, or None."""
        cdef uint32_t digest
        cdef Sealed sealed = self.seal(sid, len(sid))
        return digest if self.find(&sealed, now_s, &digest) else None

    def put(self, bytes sid, uint32_t digest, uint32_t now_s, uint32_t lifetime_s):
        """`learn` for Python."""
        cdef Sealed sealed = self.seal(sid, len(sid))
        return self.learn(&sealed, digest, now_s, lifetime_s)

    def drop(self, bytes sid):
        """`forget` for Python."""
        cdef Sealed sealed = self.seal(sid, len(sid))
        return self.forget(&sealed)

    def give(self, bytes sid):
        """`hand_over` for Python."""
        cdef Sealed sealed = self.seal(sid, len(sid))
        return self.hand_over(&sealed)

    def live(self, uint32_t digest):
        """`live_at` for Python."""
        return self.live_at(digest)


def sip_hash(bytes key, bytes data):
    """SipHash-2-4-128 of the data under a key of 16 bytes, as 16 bytes."""
    cdef uint64_t words[2]
    cdef uint64_t digest[2]
    if len(key) != sizeof(words):
        raise ValueError("a SipHash key has 16 bytes")
    memcpy(words, <const char *> key, sizeof(words))
    sip_hash_128(words, data, len(data), digest)
    return (<char *> digest)[:16]
