# How text and numbers are put into a line: each function writes at `at` and returns the end of what it wrote.
# Text from the wire becomes printable UTF-8 on one line, at most four bytes for one.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from fastproxy.slices cimport Slice

cdef enum:
    NUMBER_BYTES = 20


cdef inline char *put(char *at, Slice text) noexcept nogil:
    memcpy(at, text.data, text.length)
    return at + text.length


cdef inline char *put_number(char *at, uint64_t number) noexcept nogil:
    cdef char digits[NUMBER_BYTES]
    cdef int first = NUMBER_BYTES
    while True:
        first -= 1
        digits[first] = 48 + number % 10
        number //= 10
        if number == 0:
            break
    memcpy(at, digits + first, NUMBER_BYTES - first)
    return at + NUMBER_BYTES - first


cdef inline uint8_t is_special(uint8_t byte) noexcept nogil:
    """Anything but printable ASCII without quote and backslash; without a branch, for the loop below."""
    return (byte < 0x20) | (byte > 0x7E) | (byte == 0x22) | (byte == 0x5C)


cdef inline bint is_all_plain(const char *data, size_t length) noexcept nogil:
    cdef size_t i
    cdef uint8_t special = 0
    for i in range(length):  # no exit, so that the compiler does many bytes at once
        special |= is_special(<uint8_t>data[i])
    return not special


cdef inline size_t character(const char *data, size_t left) noexcept nogil:
    """Length of the UTF-8 sequence here; 0: there is none, or it could end a line, move a cursor or turn text."""
    cdef uint8_t first = <uint8_t>data[0]
    cdef size_t length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    cdef uint32_t code = first & (0x7F >> length)
    cdef size_t i
    if first < 0xC2 or first > 0xF4 or length > left:
        return 0
    for i in range(1, length):
        if <uint8_t>data[i] & 0xC0 != 0x80:
            return 0
        code = code << 6 | (<uint8_t>data[i] & 0x3F)
    if code < (0xA0 if length == 2 else 0x800 if length == 3 else 0x10000) or code > 0x10FFFF:
        return 0
    if (code >= 0xD800 and code <= 0xDFFF) or (code >= 0x2028 and code <= 0x202E) or is_mark_of_direction(code):
        return 0
    return length


cdef inline bint is_mark_of_direction(uint32_t code) noexcept nogil:
    """Those of Unicode's bidirectional algorithm but for U+202A to U+202E: a line would read otherwise than it is."""
    return code == 0x61C or code == 0x200E or code == 0x200F or (code >= 0x2066 and code <= 0x2069)


cdef inline char *put_special(char *at, uint8_t byte) noexcept nogil:
    cdef const char *hexadecimal = b"0123456789abcdef"
    at[0] = 0x5C
    if byte == 0x22 or byte == 0x5C:
        at[1] = byte
        return at + 2
    at[1] = 0x78
    at[2] = hexadecimal[byte >> 4]
    at[3] = hexadecimal[byte & 15]
    return at + 4


cdef inline char *put_escaped(char *at, const char *data, size_t length) noexcept nogil:
    cdef size_t i = 0
    cdef size_t whole
    if is_all_plain(data, length):
        return put(at, Slice(data, length))
    while i < length:
        whole = character(data + i, length - i) if <uint8_t>data[i] > 0x7F else not is_special(<uint8_t>data[i])
        if whole:
            at = put(at, Slice(data + i, whole))
        else:
            at = put_special(at, <uint8_t>data[i])
        i += whole if whole else 1
    return at
