# The 64-bit words of the session table, and how one word changes at once for all processes. From the highest bit:
#
#     28 expiry    second of the clock from which the entry is dead; at least 1, and enough for 8.5 years after boot
#      8 lifetime  what a lookup raises the expiry by, as four bits of exponent and four of mantissa: exact up to 31 s,
#                  rounded up by less than a sixteenth above, 507,904 s (5.9 days) at most
#     12 host      its number in the registry of hosts, from 1
#      1 handed    a tunnel carries the session now: it is not counted as live
#     15 check     of the keyed hash's second half: whether this word belongs to the tag beside it
#
# Zero is an entry that was never stored or was removed.

from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    int ORDER "__ATOMIC_SEQ_CST"
    uint64_t atomic_load "__atomic_load_n"(const uint64_t *word, int order) noexcept nogil
    uint64_t atomic_add "__atomic_fetch_add"(uint64_t *word, uint64_t amount, int order) noexcept nogil
    bint atomic_swap "__atomic_compare_exchange_n"(
        uint64_t *word, uint64_t *expected, uint64_t desired, bint weak, int success, int failure
    ) noexcept nogil

cdef enum:
    CHECK_MASK = (1 << 15) - 1
    HANDED = 1 << 15
    HOST_SHIFT = 16
    HOST_MASK = (1 << 12) - 1
    LIFETIME_SHIFT = 28
    EXPIRY_SHIFT = 36
    LAST_S = (1 << 28) - 1
    MANTISSA = 16  # values of the mantissa
    LONGEST_S = 31 << 14  # the largest lifetime


cdef inline uint64_t load(const uint64_t *word) noexcept nogil:
    return atomic_load(word, ORDER)


cdef inline uint64_t add(uint64_t *word, uint64_t amount) noexcept nogil:
    """What the word was before."""
    return atomic_add(word, amount, ORDER)


cdef inline bint swap(uint64_t *word, uint64_t seen, uint64_t wanted) noexcept nogil:
    return atomic_swap(word, &seen, wanted, False, ORDER, ORDER)


cdef inline uint32_t expiry_of(uint64_t value) noexcept nogil:
    return <uint32_t> (value >> EXPIRY_SHIFT)


cdef inline uint32_t host_of(uint64_t value) noexcept nogil:
    return (value >> HOST_SHIFT) & HOST_MASK


cdef inline uint32_t lifetime_of(uint64_t value) noexcept nogil:
    cdef uint32_t code = (value >> LIFETIME_SHIFT) & 0xFF
    return code if code < MANTISSA else (MANTISSA + code % MANTISSA) << (code // MANTISSA - 1)


cdef inline uint32_t lifetime_code(uint32_t lifetime_s) noexcept nogil:
    """The code of the shortest lifetime that is not below this one, and not 0."""
    cdef uint32_t exponent = 0
    cdef uint32_t mantissa = min(lifetime_s, <uint32_t> LONGEST_S)
    while mantissa >= 2 * MANTISSA:
        mantissa = (mantissa + 1) >> 1
        exponent += 1
    return max(exponent * MANTISSA + mantissa, <uint32_t> 1)


cdef inline uint64_t raised(uint64_t value, uint32_t now_s) noexcept nogil:
    """The word with its expiry at now + lifetime, unless that is sooner."""
    cdef uint64_t expiry_s = min(<uint64_t> now_s + lifetime_of(value), <uint64_t> LAST_S)
    if expiry_s <= expiry_of(value):
        return value
    return (expiry_s << EXPIRY_SHIFT) | (value & ((<uint64_t> 1 << EXPIRY_SHIFT) - 1))


cdef inline uint64_t value_of(uint32_t host, uint32_t check, uint32_t now_s, uint32_t lifetime_s) noexcept nogil:
    cdef uint64_t code = lifetime_code(lifetime_s)
    return raised((code << LIFETIME_SHIFT) | (<uint64_t> host << HOST_SHIFT) | check, now_s)


cdef inline bint is_same(uint64_t value, uint64_t other) noexcept nogil:
    """Whether one became the other by being raised or handed over, if it changed at all."""
    return ((value ^ other) & ~<uint64_t> HANDED) << (64 - EXPIRY_SHIFT) == 0
