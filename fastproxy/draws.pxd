"""Random draws for spreading load, cheap enough for every request; never for secrets."""

from libc.stdint cimport uint64_t


cdef inline uint64_t draw(uint64_t *state) noexcept nogil:
    """The next 64 bits (xorshift64*, Vigna 2016). `state` begins as anything but 0."""
    state[0] ^= state[0] >> 12
    state[0] ^= state[0] << 25
    state[0] ^= state[0] >> 27
    return state[0] * <uint64_t> 0x2545F4914F6CDD1D
