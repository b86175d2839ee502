# SipHash-2-4 with 128 bits of output, as the reference implementation of Aumasson and Bernstein has it: a keyed hash
# for what clients may choose. Inline, so that it costs no call; for little-endian machines.

from libc.stdint cimport uint64_t
from libc.string cimport memcpy


cdef inline uint64_t rotate(uint64_t word, int bits) noexcept nogil:
    return (word << bits) | (word >> (64 - bits))


cdef inline void sip_rounds(uint64_t *v, int rounds) noexcept nogil:
    while rounds:
        v[0] += v[1]
        v[2] += v[3]
        v[1] = rotate(v[1], 13) ^ v[0]
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = rotate(v[0], 32) + v[3]
        v[2] += v[1]
        v[3] = rotate(v[3], 21) ^ v[0]
        v[1] = rotate(v[1], 17) ^ v[2]
        v[2] = rotate(v[2], 32)
        rounds -= 1


cdef inline void sip_word(uint64_t *v, uint64_t word) noexcept nogil:
    v[3] ^= word
    sip_rounds(v, 2)
    v[0] ^= word


cdef inline void sip_hash_128(const uint64_t *key, const char *data, size_t length, uint64_t *digest) noexcept nogil:
    cdef uint64_t v[4]
    cdef uint64_t word
    cdef size_t left = length & 7
    cdef const char *end = data + (length - left)
    v[0] = key[0] ^ 0x736F6D6570736575ULL
    v[1] = key[1] ^ 0x646F72616E646F6DULL ^ 0xEE
    v[2] = key[0] ^ 0x6C7967656E657261ULL
    v[3] = key[1] ^ 0x7465646279746573ULL
    while data != end:
        memcpy(&word, data, 8)
        sip_word(v, word)
        data += 8
    word = 0
    memcpy(&word, data, left)
    sip_word(v, word | (<uint64_t>length << 56))
    v[2] ^= 0xEE
    sip_rounds(v, 4)
    digest[0] = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    sip_rounds(v, 4)
    digest[1] = v[0] ^ v[1] ^ v[2] ^ v[3]
