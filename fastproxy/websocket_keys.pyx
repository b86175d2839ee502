"""Sec-WebSocket-Key and the Sec-WebSocket-Accept that answers it (RFC 6455 section 4.2.2).

The answer is the SHA-1 (FIPS 180-4) of the key and a constant, 60 bytes together: two blocks, and the second one is the
same for all keys, so that its schedule is made once.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef enum:
    BLOCK_BYTES = 64
    ROUNDS = 80
    GUID_BYTES = 36
    DIGIT_COUNT = 22  # digits of a key, behind which is what fills it up

cdef char GUID[36]  # GUID_BYTES
cdef const char *DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
cdef bint IS_DIGIT[256]
cdef uint32_t SECOND_BLOCK[80]  # its schedule


cdef int fill_tables() except -1:
    cdef uint8_t block[64]
    cdef int i
    memcpy(GUID, <const char *> b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", GUID_BYTES)  # section 1.3
    for i in range(64):
        IS_DIGIT[<uint8_t> DIGITS[i]] = True
    memset(block, 0, BLOCK_BYTES)
    block[62] = (KEY_BYTES + GUID_BYTES) * 8 >> 8
    block[63] = (KEY_BYTES + GUID_BYTES) * 8 & 255
    schedule(block, SECOND_BLOCK)


# hot

cdef inline uint32_t rotated(uint32_t word, int bits) noexcept nogil:
    return (word << bits) | (word >> (32 - bits))


cdef void schedule(const uint8_t *block, uint32_t *words) noexcept nogil:
    """What the rounds take of a block (section 6.1.2, step 1)."""
    cdef int i
    for i in range(16):
        words[i] = <uint32_t> block[4 * i] << 24 | <uint32_t> block[4 * i + 1] << 16 \
            | <uint32_t> block[4 * i + 2] << 8 | block[4 * i + 3]
    for i in range(16, ROUNDS):
        words[i] = rotated(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1)


cdef inline void step(uint32_t *v, uint32_t mixed) noexcept nogil:
    """What is the same in every round; `mixed` is what is not."""
    mixed += rotated(v[0], 5) + v[4]
    v[4] = v[3]
    v[3] = v[2]
    v[2] = rotated(v[1], 30)
    v[1] = v[0]
    v[0] = mixed


cdef void rounds(uint32_t *state, const uint32_t *words) noexcept nogil:
    """Mix one block into the state (section 6.1.2, steps 2 to 4)."""
    cdef uint32_t v[5]
    cdef int i
    memcpy(v, state, sizeof(v))
    for i in range(20):
        step(v, words[i] + <uint32_t> 0x5A827999 + (v[3] ^ (v[1] & (v[2] ^ v[3]))))
    for i in range(20, 40):
        step(v, words[i] + <uint32_t> 0x6ED9EBA1 + (v[1] ^ v[2] ^ v[3]))
    for i in range(40, 60):
        step(v, words[i] + <uint32_t> 0x8F1BBCDC + ((v[1] & v[2]) | (v[3] & (v[1] | v[2]))))
    for i in range(60, ROUNDS):
        step(v, words[i] + <uint32_t> 0xCA62C1D6 + (v[1] ^ v[2] ^ v[3]))
    for i in range(5):
        state[i] += v[i]


cdef void write_base64(const uint32_t *state, char *text) noexcept nogil:
    """The 20 bytes of a SHA-1: 26 full digits, one of 4 bits, and `=`."""
    cdef uint64_t bits = 0
    cdef int held = 0
    cdef int word = 0
    cdef int i
    for i in range(ACCEPT_BYTES - 1):
        if held < 6:
            bits = bits << 32 | (state[word] if word < 5 else 0)
            held += 32
            word += 1
        held -= 6
        text[i] = DIGITS[bits >> held & 63]
    text[ACCEPT_BYTES - 1] = c"="


cdef bint write_accept(const char *key, char *accept) noexcept nogil:
    """Write the ACCEPT_BYTES that answer a key of KEY_BYTES; False when it is not 16 bytes in base64.

    The last digit says more than 16 bytes take; what it says too much is passed over, as by most decoders.
    """
    cdef uint8_t block[64]
    cdef uint32_t words[80]
    cdef uint32_t state[5]
    cdef int i
    for i in range(DIGIT_COUNT):
        if not IS_DIGIT[<uint8_t> key[i]]:
            return False
    if key[DIGIT_COUNT] != c"=" or key[DIGIT_COUNT + 1] != c"=":
        return False
    memcpy(block, key, KEY_BYTES)
    memcpy(block + KEY_BYTES, GUID, GUID_BYTES)
    memset(block + KEY_BYTES + GUID_BYTES, 0, BLOCK_BYTES - KEY_BYTES - GUID_BYTES)
    block[KEY_BYTES + GUID_BYTES] = 0x80
    schedule(block, words)
    state[0] = 0x67452301
    state[1] = 0xEFCDAB89
    state[2] = 0x98BADCFE
    state[3] = 0x10325476
    state[4] = 0xC3D2E1F0
    rounds(state, words)
    rounds(state, SECOND_BLOCK)
    write_base64(state, accept)
    return True

# end hot


fill_tables()


def accept_of(key: bytes):
    """The Sec-WebSocket-Accept that answers a key; None when the key is malformed."""
    cdef char accept[28]  # ACCEPT_BYTES
    if len(key) != KEY_BYTES or not write_accept(key, accept):
        return None
    return accept[:ACCEPT_BYTES]
