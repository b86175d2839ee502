"""The table of Engine.IO session ids: which host issued which id, in memory that all processes share.

Owns the layout of that memory and the rules for changing it without a lock. Knows nothing of HTTP, of how ids are
found in a packet, or of hosts: a host is the 32-bit hash that the caller gave it.

Layout. The region is an array of buckets of 64 bytes, one cache line each; a bucket has four slots of two words.

    tag    keyed hash of the session id (SipHash-2-4-128, first half; never 0), 0 in a slot that was never used
    value  expiry in seconds << 32 | (host hash XOR mix), mix being 32 bits of the second half of the same hash

An entry lives while its expiry is above now, so a region of zeroes is an empty table and nobody has to fill it:
pages appear as they are used. The id itself is never stored, and without the key nobody can aim at a bucket.
Each half of the tag names a bucket, and the id may lie in either. A new one goes to the bucket with fewer live
entries; where both are full, an entry that has room in its other bucket moves there; else the one that would expire
first is displaced. Up to three quarters of the capacity that befalls fewer than one in 100,000.

Protocol. Any process may write any slot, at any time, and may die between any two instructions.

* The value word owns the slot. A writer first replaces the value that it saw by its own, in one compare-and-swap;
  who succeeds is the owner and must then bring the tag in line, again by compare-and-swap, as long as it still is
  the owner. A writer that finds a foreign value has lost the slot and starts over, at most ATTEMPTS times.
* Of two writers on one slot the later owner therefore also sets the tag last: the former one either fails to swap
  the tag that it read, or sees afterwards that the value is not its own and starts over. An entry that is
  refreshed at the very moment somebody displaces it may be lost, as if it had been displaced a moment later.
* Between the two swaps, and for ever when the writer was killed there, a slot pairs the tag of one id with the value
  of another. Its reader undoes the XOR with the wrong mix and gets a number that is no host's hash (by chance in
  one of 2^32 / hosts cases); the caller finds no such host and treats the id as unknown. A lookup never
  yields another session's host, and the slot comes back when the stray value expires.
* A reader never waits and writes only to raise an expiry: one compare-and-swap on the value that it just decoded,
  so a slot that changed hands in between is left alone. The raise keeps the lower half, by which owners know theirs.
* An entry moves by being copied first, so it can be found all the time. A raise or a removal that hits the old copy
  in that moment is lost.
* To forget is to set the value to 0. The tag stays; a slot is free by its expiry alone.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy

from fastproxy._sip_hash cimport sip_hash_128

cdef extern from *:
    int ORDER "__ATOMIC_SEQ_CST"
    uint64_t atomic_load "__atomic_load_n"(const uint64_t *word, int order) noexcept nogil
    bint atomic_swap "__atomic_compare_exchange_n"(
        uint64_t *word, uint64_t *expected, uint64_t desired, bint weak, int success, int failure
    ) noexcept nogil
    void prefetch "__builtin_prefetch"(const void *address) noexcept nogil

cdef extern from "<sys/mman.h>" nogil:
    int mincore(void *address, size_t length, unsigned char *pages)

cdef extern from "<unistd.h>" nogil:
    int _SC_PAGESIZE
    long sysconf(int name)

cdef enum:
    SLOTS = 4
    BUCKET_BYTES = 64
    ATTEMPTS = 16

cdef uint64_t LOW = 0xFFFFFFFFULL


cdef inline uint64_t load(const uint64_t *word) noexcept nogil:
    return atomic_load(word, ORDER)


cdef inline bint swap(uint64_t *word, uint64_t seen, uint64_t wanted) noexcept nogil:
    return atomic_swap(word, &seen, wanted, False, ORDER, ORDER)


cdef inline uint32_t expiry_of(uint64_t value) noexcept nogil:
    return <uint32_t>(value >> 32)


cdef inline uint32_t later(uint32_t now_s, uint32_t ttl_s) noexcept nogil:
    """now + ttl, at most the largest expiry and never 0."""
    cdef uint64_t expiry_s = <uint64_t>now_s + ttl_s
    return <uint32_t>(LOW if expiry_s > LOW else expiry_s if expiry_s else 1)


cdef inline bint is_owned(const Slot *slot, uint64_t mine) noexcept nogil:
    return (load(&slot.value) ^ mine) & LOW == 0  # a reader may have raised the expiry


cdef bint take(Slot *slot, uint64_t seen, uint64_t value, uint64_t tag) noexcept nogil:
    """Own the slot, then bring its tag in line; false when another writer came in between."""
    cdef uint64_t tag_seen
    cdef int _attempt
    if not swap(&slot.value, seen, value):
        return False
    for _attempt in range(ATTEMPTS):
        tag_seen = load(&slot.tag)  # before the check: a later owner changes the tag only after the value
        if not is_owned(slot, value):
            return False
        if tag_seen == tag:
            return True
        if swap(&slot.tag, tag_seen, tag):
            return is_owned(slot, value)
    return False


cdef Place survey(Slot *bucket, uint32_t now_s) noexcept nogil:
    """How full a bucket is, and its slot with the earliest expiry."""
    cdef Place place
    cdef uint64_t value
    cdef int i
    place.slot = bucket
    place.seen = load(&bucket.value)
    place.live = expiry_of(place.seen) > now_s
    for i in range(1, SLOTS):
        value = load(&bucket[i].value)
        place.live += expiry_of(value) > now_s
        if expiry_of(value) < expiry_of(place.seen):
            place.slot = bucket + i
            place.seen = value
    return place


cdef inline Slot *tagged(Slot *bucket, uint64_t tag) noexcept nogil:
    cdef int i
    for i in range(SLOTS):
        if load(&bucket[i].tag) == tag:
            return bucket + i
    return NULL


cdef inline bint look(
    Slot *bucket, uint64_t tag, uint32_t now_s, uint32_t ttl_refresh_s, uint32_t *low
) noexcept nogil:
    """The lower half of the live value under the tag; raises its expiry as asked."""
    cdef uint64_t value
    cdef uint32_t wanted_s
    cdef int i
    # hot
    for i in range(SLOTS):
        if load(&bucket[i].tag) == tag:
            value = load(&bucket[i].value)
            if expiry_of(value) > now_s:
                low[0] = <uint32_t>value
                wanted_s = later(now_s, ttl_refresh_s)
                if ttl_refresh_s and expiry_of(value) < wanted_s:
                    swap(&bucket[i].value, value, (<uint64_t>wanted_s << 32) | (value & LOW))
                return True
    # end hot
    return False


cdef int erase(Slot *bucket, uint64_t tag) noexcept nogil:
    """Number of entries with the tag that were there."""
    cdef int i, erased = 0
    cdef uint64_t value
    for i in range(SLOTS):
        if load(&bucket[i].tag) == tag:
            value = load(&bucket[i].value)
            erased += value != 0 and swap(&bucket[i].value, value, 0)
    return erased


cdef class SessionTable:
    """The table over `buffer`, a writable region that other processes may have mapped too.

    `key` is 16 secret random bytes, the same in every process; `buffer` starts on a 16-byte boundary, and what does
    not fill a bucket of 64 bytes at its end is left alone. Raises ValueError when key or buffer do not serve.
    The buffer is held until the table goes.
    """

    def __cinit__(self, buffer, bytes key):
        if len(key) != sizeof(self.key):
            raise ValueError(f"the key of the session table has {len(key)} bytes, not {sizeof(self.key)}")
        memcpy(self.key, <const char *>key, sizeof(self.key))
        PyObject_GetBuffer(buffer, &self.view, PyBUF_WRITABLE)
        self.has_view = True
        self.buckets = self.view.len // BUCKET_BYTES
        self.slots = <Slot *>self.view.buf
        if not 0 < self.buckets <= LOW or <uintptr_t>self.slots % sizeof(Slot):
            raise ValueError(f"a region of {self.view.len} bytes at this address cannot hold a session table")

    def __dealloc__(self):
        if self.has_view:
            PyBuffer_Release(&self.view)

    cdef inline Slot *bucket(self, uint32_t half) noexcept nogil:
        """The bucket that half a tag stands for."""
        return self.slots + ((half * self.buckets) >> 32) * SLOTS

    cdef Sealed seal(self, const char *sid, size_t length) noexcept nogil:
        cdef uint64_t digest[2]
        cdef Sealed sealed
        sip_hash_128(self.key, sid, length, digest)
        sealed.tag = digest[0] if digest[0] else 1
        sealed.mix = <uint32_t>digest[1]
        sealed.first = self.bucket(<uint32_t>(sealed.tag >> 32))
        sealed.second = self.bucket(<uint32_t>sealed.tag)
        prefetch(sealed.first)
        prefetch(sealed.second)
        return sealed

    cdef bint find(
        self, const Sealed *sealed, uint32_t now_s, uint32_t ttl_refresh_s, uint32_t *host_hash
    ) noexcept nogil:
        """Whether the id lives; if so its host. An expiry below now + ttl_refresh_s (if not 0) is raised to that.

        The host may be a number that belongs to no host (see the protocol): then the id counts as unknown.
        """
        cdef uint32_t low
        if not look(sealed.first, sealed.tag, now_s, ttl_refresh_s, &low):
            if not look(sealed.second, sealed.tag, now_s, ttl_refresh_s, &low):
                return False
        host_hash[0] = low ^ sealed.mix
        return True

    cdef Place move_one(self, Slot *bucket, uint32_t now_s) noexcept nogil:
        """Copy one entry of a full bucket to its other bucket, if that has room; the slot it leaves, or NULL."""
        cdef Place place
        cdef Slot *other
        cdef uint64_t tag, value
        cdef int i
        for i in range(SLOTS):
            tag = load(&bucket[i].tag)
            value = load(&bucket[i].value)
            other = self.bucket(<uint32_t>(tag >> 32))
            place = survey(self.bucket(<uint32_t>tag) if other == bucket else other, now_s)
            if place.live < SLOTS and load(&bucket[i].tag) == tag and take(place.slot, place.seen, value, tag):
                return Place(bucket + i, value, 0)
        return Place(NULL, 0, 0)

    cdef Place place_for(self, const Sealed *sealed, uint32_t now_s) noexcept nogil:
        """The slot that has the tag, else a free one, else one that can be freed, else the one to displace."""
        cdef Place place, other
        place.slot = tagged(sealed.first, sealed.tag)
        if place.slot == NULL:
            place.slot = tagged(sealed.second, sealed.tag)
        if place.slot != NULL:
            return Place(place.slot, load(&place.slot.value), 0)
        place = survey(sealed.first, now_s)
        other = survey(sealed.second, now_s)
        if place.live < SLOTS or other.live < SLOTS:
            return other if other.live < place.live else place
        if expiry_of(other.seen) < expiry_of(place.seen):
            place = other
        other = self.move_one(sealed.first, now_s)
        if other.slot == NULL:
            other = self.move_one(sealed.second, now_s)
        return place if other.slot == NULL else other

    cdef int learn(self, const Sealed *sealed, uint32_t host_hash, uint32_t now_s, uint32_t ttl_s) noexcept nogil:
        """Store or replace the id: 0 done, 1 done by displacing a live entry, -1 not stored (others kept winning)."""
        cdef uint64_t value = (<uint64_t>later(now_s, ttl_s) << 32) | (host_hash ^ sealed.mix)
        cdef Place place
        cdef int _attempt
        for _attempt in range(ATTEMPTS):
            place = self.place_for(sealed, now_s)
            if take(place.slot, place.seen, value, sealed.tag):
                return 1 if place.live == SLOTS else 0
        return -1

    cdef bint forget(self, const Sealed *sealed) noexcept nogil:
        """Remove the id; whether it was there."""
        cdef int erased = erase(sealed.first, sealed.tag)
        return erased + erase(sealed.second, sealed.tag) > 0

    cdef size_t live_in(self, size_t start, size_t end, uint32_t now_s) noexcept nogil:
        """Live entries of the slots from `start` to `end`."""
        cdef size_t live = 0
        while start < end:
            live += expiry_of(load(&self.slots[start].value)) > now_s
            start += 1
        return live

    def count(self, uint32_t now_s):
        """Live entries, roughly: others write meanwhile. Memory never used is not brought into being by looking."""
        cdef size_t total = self.buckets * SLOTS
        cdef size_t page_bytes = sysconf(_SC_PAGESIZE)
        cdef size_t page = page_bytes // sizeof(Slot)
        cdef size_t start, live = 0
        cdef unsigned char present
        for start in range(0, total, page):
            present = 1  # where the region is no mapping of its own, the kernel says EINVAL and everything counts
            mincore(self.slots + start, page_bytes, &present)
            if present & 1:
                live += self.live_in(start, min(start + page, total), now_s)
        return live

    @property
    def capacity(self):
        """Slots of the table."""
        return self.buckets * SLOTS

    def get(self, bytes sid, uint32_t now_s, uint32_t ttl_refresh_s=0):
        """`find` for Python: the host's hash, or None."""
        cdef Sealed sealed = self.seal(sid, len(sid))
        cdef uint32_t host_hash
        return host_hash if self.find(&sealed, now_s, ttl_refresh_s, &host_hash) else None

    def put(self, bytes sid, uint32_t host_hash, uint32_t now_s, uint32_t ttl_s):
        """`learn` for Python."""
        cdef Sealed sealed = self.seal(sid, len(sid))
        return self.learn(&sealed, host_hash, now_s, ttl_s)

    def drop(self, bytes sid):
        """`forget` for Python."""
        cdef Sealed sealed = self.seal(sid, len(sid))
        return self.forget(&sealed)


def sip_hash(bytes key, bytes data):
    """SipHash-2-4-128 of the data under a key of 16 bytes, as 16 bytes."""
    cdef uint64_t words[2]
    cdef uint64_t digest[2]
    if len(key) != sizeof(words):
        raise ValueError("a SipHash key has 16 bytes")
    memcpy(words, <const char *>key, sizeof(words))
    sip_hash_128(words, data, len(data), digest)
    return (<char *>digest)[:16]
