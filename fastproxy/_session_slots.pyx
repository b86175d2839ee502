"""The table of session ids: which host issued which id, in memory that all processes share.

Owns the layout of that memory and the rules for changing it without a lock. Knows nothing of HTTP, of how ids are
found in a message, or of hosts: a host is the 32-bit digest that the caller gave it.

Layout. The region begins with the registry of hosts (`_session_hosts`, 256 KiB). What follows is an array of buckets
of 64 bytes, one cache line each; a bucket has four slots of two words.

    tag    keyed hash of the session id (SipHash-2-4-128, first half; never 0), 0 in a slot that was never used
    value  expiry, lifetime, number of the host, handed over or not, check (`_session_words`); 0 in an empty slot

An entry lives while its expiry is above now, so a region of zeroes is an empty table and nobody has to fill it:
pages appear as they are used. The id itself is never stored, and without the key nobody can aim at a bucket.
Each half of the tag names a bucket, and the id may lie in either. A new one goes to the bucket with fewer live
entries; where both are full, an entry that has room in its other bucket moves there; else the one that would expire
first is displaced. Up to three quarters of the capacity that befalls fewer than one in 100,000.

Counts. Every value word that names a host is counted there, and as live unless it is handed over, whether it has
expired or not: who replaces a word by compare-and-swap counts the new one before and the old one off afterwards.
Sweeping replaces expired words by 0. So a host's number cannot be given to another while a word names it.

Protocol. Any process may write any slot, at any time, and may die between any two instructions.

* The value word owns the slot. A writer first replaces the value that it saw by its own, in one compare-and-swap;
  who succeeds is the owner and must then bring the tag in line, again by compare-and-swap, as long as it still is
  the owner. A writer that finds a foreign value has lost the slot and starts over, at most ATTEMPTS times.
* Of two writers on one slot the later owner therefore also sets the tag last: the former one either fails to swap
  the tag that it read, or sees afterwards that the value is not its own and starts over. An entry that is
  refreshed at the very moment somebody displaces it may be lost, as if it had been displaced a moment later.
* Between the two swaps, and for ever when the writer was killed there, a slot pairs the tag of one id with the value
  of another. The check in the value is 15 bits of the hash that the tag is not made of; a reader to whom it does not
  fit treats the id as unknown. It fits by chance in one of 32,768 such pairs. The slot comes back when the stray value
  expires.
* A reader never waits and writes only to raise an expiry: one compare-and-swap on the value that it just decoded,
  so a slot that changed hands in between is left alone. It believes the host's digest only when the value stood there
  before and after it was read. Raising and handing over keep all by which owners know their value.
* An entry moves by being copied first, so it can be found all the time. A raise or a removal that hits the old copy
  in that moment is lost, and the session counts twice until one copy expires.
* To forget is to set the value to 0. The tag stays; a slot is free by its expiry alone.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy

from fastproxy._session_buckets cimport BUCKET_BYTES, SLOTS, fits, survey, tagged
from fastproxy._session_hosts cimport HOSTS_BYTES, digest_at
from fastproxy._session_words cimport (
    CHECK_MASK, HANDED, expiry_of, host_of, is_same, load, raised, swap, value_of,
)
from fastproxy._sip_hash cimport sip_hash_128

cdef extern from *:
    void prefetch "__builtin_prefetch"(const void *address) noexcept nogil

cdef enum:
    ATTEMPTS = 16

cdef uint64_t MAX_BUCKETS = 1 << 29  # fewer words than a host's line can count


cdef inline bint look(
    const HostLine *lines, Slot *bucket, const Sealed *sealed, uint32_t now_s, uint32_t *digest
) noexcept nogil:
    """The host of the live entry in the bucket; raises its expiry."""
    cdef uint64_t value, wanted
    cdef uint32_t found
    cdef int i
    # hot
    for i in range(SLOTS):
        if load(&bucket[i].tag) == sealed.tag:
            value = load(&bucket[i].value)
            if expiry_of(value) > now_s and fits(value, sealed):
                found = digest_at(lines, host_of(value))
                wanted = raised(value, now_s)
                if (wanted != value and swap(&bucket[i].value, value, wanted)) \
                        or is_same(load(&bucket[i].value), value):
                    digest[0] = found
                    return True
    # end hot
    return False


cdef bint take(SessionHosts hosts, Slot *slot, uint64_t seen, uint64_t value, uint64_t tag) noexcept nogil:
    """Own the slot, then bring its tag in line; false when another writer came in between. The value is counted
    already, and no longer when it did not come into the slot."""
    cdef uint64_t tag_seen
    cdef int _attempt
    if not swap(&slot.value, seen, value):
        hosts.release(value)
        return False
    hosts.release(seen)
    for _attempt in range(ATTEMPTS):
        tag_seen = load(&slot.tag)  # before the check: a later owner changes the tag only after the value
        if not is_same(load(&slot.value), value):
            return False
        if tag_seen == tag:
            return True
        if swap(&slot.tag, tag_seen, tag):
            return is_same(load(&slot.value), value)
    return False


cdef bint copy(SessionHosts hosts, const Slot *slot, uint64_t tag, uint64_t value, const Place *place) noexcept nogil:
    """Store the entry of a slot in another place, too."""
    hosts.hold_again(value)
    if load(&slot.tag) == tag and load(&slot.value) == value:
        return take(hosts, place.slot, place.seen, value, tag)
    hosts.release(value)
    return False


cdef bint erase(SessionHosts hosts, Slot *slot, const Sealed *sealed) noexcept nogil:
    cdef uint64_t value
    cdef int _attempt
    for _attempt in range(ATTEMPTS):
        value = load(&slot.value)
        if value == 0 or load(&slot.tag) != sealed.tag or not fits(value, sealed):
            return False
        if swap(&slot.value, value, 0):  # or a reader has just raised it
            hosts.release(value)
            return True
    return False


cdef bint hand(SessionHosts hosts, Slot *slot, const Sealed *sealed) noexcept nogil:
    cdef uint64_t value
    cdef int _attempt
    for _attempt in range(ATTEMPTS):
        value = load(&slot.value)
        if value == 0 or value & HANDED or load(&slot.tag) != sealed.tag or not fits(value, sealed):
            return False
        if swap(&slot.value, value, value | HANDED):
            hosts.hand_over(value)
            return True
    return False


cdef class SessionSlots:
    """The slots in `buffer`, a writable region of `region_bytes` that other processes may have mapped too.

    `key` is 16 secret random bytes, the same in every process; `buffer` starts on a 16-byte boundary, and what does
    not fill a bucket of 64 bytes at its end is left alone. Raises ValueError when key or buffer do not serve.
    The buffer is held until the table goes.
    """

    def __cinit__(self, buffer, bytes key):
        if len(key) != sizeof(self.key):
            raise ValueError(f"the key of the session table has {len(key)} bytes, not {sizeof(self.key)}")
        memcpy(self.key, <const char *> key, sizeof(self.key))
        PyObject_GetBuffer(buffer, &self.view, PyBUF_WRITABLE)
        self.has_view = True
        if self.view.len > HOSTS_BYTES:
            self.buckets = (self.view.len - HOSTS_BYTES) // BUCKET_BYTES
        self.slots = <Slot *> (<char *> self.view.buf + HOSTS_BYTES)
        if not 0 < self.buckets <= MAX_BUCKETS or <uintptr_t> self.slots % sizeof(Slot):
            raise ValueError(f"a region of {self.view.len} bytes at this address cannot hold a session table")
        self.hosts = SessionHosts(buffer)
        self.lines = self.hosts.lines

    def __dealloc__(self):
        if self.has_view:
            PyBuffer_Release(&self.view)

    cdef inline Slot *bucket(self, uint32_t half) noexcept nogil:
        """The bucket that half a tag stands for."""
        return self.slots + ((half * self.buckets) >> 32) * SLOTS

    cdef Sealed seal(self, const char *sid, size_t length) noexcept nogil:
        """What stands for the id in this table; its memory is on the way to the processor."""
        cdef uint64_t digest[2]
        cdef Sealed sealed
        sip_hash_128(self.key, sid, length, digest)
        sealed.tag = digest[0] if digest[0] else 1
        sealed.check = digest[1] & CHECK_MASK
        sealed.first = self.bucket(<uint32_t> (sealed.tag >> 32))
        sealed.second = self.bucket(<uint32_t> sealed.tag)
        prefetch(sealed.first)
        prefetch(sealed.second)
        return sealed

    cdef bint find(self, const Sealed *sealed, uint32_t now_s, uint32_t *digest) noexcept nogil:
        """Whether the id lives; if so its host. Its expiry is raised to now + the entry's lifetime."""
        return look(self.lines, sealed.first, sealed, now_s, digest) \
            or look(self.lines, sealed.second, sealed, now_s, digest)

    cdef Place move_one(self, Slot *bucket, uint32_t now_s) noexcept nogil:
        """Copy one entry of a full bucket to its other bucket, if that has room; the slot it leaves, or NULL."""
        cdef Place place
        cdef Slot *other
        cdef uint64_t tag, value
        cdef int i
        for i in range(SLOTS):
            tag = load(&bucket[i].tag)
            value = load(&bucket[i].value)
            other = self.bucket(<uint32_t> (tag >> 32))
            place = survey(self.bucket(<uint32_t> tag) if other == bucket else other, now_s)
            if value and place.live < SLOTS and copy(self.hosts, bucket + i, tag, value, &place):
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

    cdef int learn(self, const Sealed *sealed, uint32_t digest, uint32_t now_s, uint32_t lifetime_s) noexcept nogil:
        """Store or replace the id, to live until now + lifetime, and counted as live: 0 it is new, 1 and displaced a
        live entry, 2 it was known, perhaps elsewhere, -1 not stored: the registry of hosts is full of others, or other
        writers kept winning."""
        cdef Place place
        cdef int host, verdict, _attempt
        for _attempt in range(ATTEMPTS):
            host = self.hosts.hold(digest)
            if host < 0:
                return -1
            place = self.place_for(sealed, now_s)
            verdict = 1 if place.live == SLOTS else 0
            if load(&place.slot.tag) == sealed.tag and expiry_of(place.seen) > now_s and fits(place.seen, sealed):
                verdict = 2
            if take(self.hosts, place.slot, place.seen, value_of(host, sealed.check, now_s, lifetime_s), sealed.tag):
                return verdict
        return -1

    cdef bint forget(self, const Sealed *sealed) noexcept nogil:
        """Remove the id; whether it was there."""
        cdef bint erased = False
        cdef int i
        for i in range(SLOTS):
            erased |= erase(self.hosts, sealed.first + i, sealed)
            erased |= erase(self.hosts, sealed.second + i, sealed)
        return erased

    cdef bint hand_over(self, const Sealed *sealed) noexcept nogil:
        """Count the id as live no more: from now on a tunnel carries its session. It is found as before, and counted
        again when it is learned again. Whether it was counted until now."""
        cdef bint handed = False
        cdef int i
        for i in range(SLOTS):
            handed |= hand(self.hosts, sealed.first + i, sealed)
            handed |= hand(self.hosts, sealed.second + i, sealed)
        return handed

    cdef uint64_t live_at(self, uint32_t digest) noexcept nogil:
        """Ids that live on the host and were not handed over, and those that have expired since the last sweep."""
        return self.hosts.live_at(digest)

    cdef const uint64_t *live_counter(self, uint32_t digest) noexcept nogil:
        """Where `live_at` looks; NULL for a host without sessions. For how long it is this host's: SessionHosts."""
        return self.hosts.live_counter(digest)
