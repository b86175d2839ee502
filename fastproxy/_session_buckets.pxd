# The slots of the session table, and the buckets of one cache line that they lie in. Their layout: `_sessions`.

from libc.stdint cimport uint32_t, uint64_t

from fastproxy._session_words cimport CHECK_MASK, expiry_of, load

cdef enum:
    SLOTS = 4
    BUCKET_BYTES = 64


cdef struct Slot:
    uint64_t tag
    uint64_t value


cdef struct Sealed:  # an id under the key: what stands for it, and the two buckets where it may lie
    uint64_t tag
    uint32_t check
    Slot *first
    Slot *second


cdef struct Place:  # a slot that a new entry may take over
    Slot *slot
    uint64_t seen  # its value when it was chosen
    int live  # live entries of its bucket; 0 when nobody is displaced


cdef inline Place survey(Slot *bucket, uint32_t now_s) noexcept nogil:
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


cdef inline bint fits(uint64_t value, const Sealed *sealed) noexcept nogil:
    return value & CHECK_MASK == sealed.check
