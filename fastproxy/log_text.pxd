# How text and numbers are put into a line: each function writes at `at` and returns the end of what it wrote.
# Text from the wire becomes printable ASCII, at most four bytes for one.

from libc.stdint cimport uint8_t, uint64_t
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


cdef inline bint is_plain(uint8_t byte) noexcept nogil:
    return byte >= 0x20 and byte <= 0x7E and byte != 0x22 and byte != 0x5C


cdef inline bint is_all_plain(const char *data, size_t length) noexcept nogil:
    cdef size_t i
    cdef uint8_t bad = 0
    for i in range(length):  # no exit, so that the compiler does many bytes at once
        bad |= not is_plain(<uint8_t>data[i])
    return not bad


cdef inline char *put_escaped(char *at, const char *data, size_t length) noexcept nogil:
    cdef const char *hexadecimal = b"0123456789abcdef"
    cdef uint8_t byte
    cdef size_t i
    if is_all_plain(data, length):
        return put(at, Slice(data, length))
    for i in range(length):
        byte = <uint8_t>data[i]
        if is_plain(byte):
            at[0] = byte
            at += 1
        elif byte == 0x22 or byte == 0x5C:
            at[0] = 0x5C
            at[1] = byte
            at += 2
        else:
            at[0] = 0x5C
            at[1] = 0x78
            at[2] = hexadecimal[byte >> 4]
            at[3] = hexadecimal[byte & 15]
            at += 4
    return at
