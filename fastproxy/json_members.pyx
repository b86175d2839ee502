"""The members of a JSON object that may not be complete yet, and the escapes of JSON and JavaScript strings.

Reads what nodes write to find one value in it, and judges nothing else of it (RFC 8259; ECMA-262, string literals).
"""

from libc.stdint cimport uint32_t
from libc.string cimport memcmp


cdef inline void skip_space(const char **at, const char *end) noexcept nogil:
    while at[0] < end and (at[0][0] == c" " or c"\t" <= at[0][0] <= c"\r"):
        at[0] += 1


cdef const char *string_end(const char *at, const char *end, char quote) noexcept nogil:
    """The closing quote of a string whose first byte is `at`; NULL when it is not there."""
    while at < end:
        if at[0] == c"\\":
            at += 1
        elif at[0] == quote:
            return at
        at += 1
    return NULL


cdef const char *nested_end(const char *at, const char *end) noexcept nogil:
    """What stands behind the object or array that begins at `at`; NULL when its end is not there."""
    cdef size_t depth = 0
    while at < end:
        if at[0] == c'"':
            at = string_end(at + 1, end, c'"')
            if at == NULL:
                return NULL
        elif at[0] == c"{" or at[0] == c"[":
            depth += 1
        elif at[0] == c"}" or at[0] == c"]":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return NULL


cdef const char *scalar_end(const char *at, const char *end) noexcept nogil:
    """What stands behind a number or a word; NULL when more of it may come."""
    while at < end:
        if at[0] == c"," or at[0] == c"}" or at[0] == c"]" or at[0] == c" " or c"\t" <= at[0] <= c"\r":
            return at
        at += 1
    return NULL


cdef Found read_string(const char **at, const char *end, Slice *text) noexcept nogil:
    cdef const char *stop
    if at[0] == end:
        return FOUND_PART
    if at[0][0] != c'"':
        return FOUND_NOTHING
    stop = string_end(at[0] + 1, end, c'"')
    if stop == NULL:
        return FOUND_PART
    text.data = at[0] + 1
    text.length = stop - text.data
    at[0] = stop + 1
    return FOUND


cdef Found read_value(const char **at, const char *end, Member *member) noexcept nogil:
    cdef const char *stop
    if at[0] == end:
        return FOUND_PART
    member.is_string = at[0][0] == c'"'
    if member.is_string:
        return read_string(at, end, &member.value)
    if at[0][0] == c"{" or at[0][0] == c"[":
        stop = nested_end(at[0], end)
    else:
        stop = scalar_end(at[0], end)
    if stop == NULL:
        return FOUND_PART
    member.value.data = at[0]
    member.value.length = stop - at[0]
    at[0] = stop
    return FOUND


cdef Found next_member(const char **at, const char *end, Member *member) noexcept nogil:
    """Read one member; `at` stands behind the object's brace at first. FOUND_NOTHING: the object ends here, and `at`
    is its closing brace, or it is no JSON."""
    cdef Found found
    skip_space(at, end)
    if at[0] < end and at[0][0] == c",":
        at[0] += 1
        skip_space(at, end)
    found = read_string(at, end, &member.key)
    if found != FOUND:
        return found
    skip_space(at, end)
    if at[0] == end:
        return FOUND_PART
    if at[0][0] != c":":
        return FOUND_NOTHING
    at[0] += 1
    skip_space(at, end)
    return read_value(at, end, member)


cdef Found find_member(
    const char *data, size_t length, const char *name, size_t name_length, Member *member
) noexcept nogil:
    """The first member of that name, on the own level of the object that the data begin with."""
    cdef const char *at = data
    cdef const char *end = data + length
    cdef Found found
    skip_space(&at, end)
    if at == end:
        return FOUND_PART
    if at[0] != c"{":
        return FOUND_NOTHING
    at += 1
    while True:
        found = next_member(&at, end, member)
        if found != FOUND:
            return found
        if member.key.length == name_length and memcmp(member.key.data, name, name_length) == 0:
            return FOUND


cdef int hex_digits(const char *at, const char *end, int count) noexcept nogil:
    """The number that so many hexadecimal digits are; -1: they are none."""
    cdef int i, digit, number = 0
    if end - at < count:
        return -1
    for i in range(count):
        digit = at[i]
        if c"0" <= digit <= c"9":
            digit -= c"0"
        elif c"a" <= digit | 0x20 <= c"f":
            digit = (digit | 0x20) - c"a" + 10
        else:
            return -1
        number = number * 16 + digit
    return number


cdef int put_utf_8(uint32_t point, char *out) noexcept nogil:
    """Write a code point, at most 4 bytes; how many it were. A lone surrogate is written like any other."""
    if point < 0x80:
        out[0] = point
        return 1
    if point < 0x800:
        out[0] = 0xC0 | point >> 6
        out[1] = 0x80 | point & 0x3F
        return 2
    if point < 0x10000:
        out[0] = 0xE0 | point >> 12
        out[1] = 0x80 | point >> 6 & 0x3F
        out[2] = 0x80 | point & 0x3F
        return 3
    out[0] = 0xF0 | point >> 18
    out[1] = 0x80 | point >> 12 & 0x3F
    out[2] = 0x80 | point >> 6 & 0x3F
    out[3] = 0x80 | point & 0x3F
    return 4


cdef int simple_escape(char letter) noexcept nogil:
    """What a letter behind a backslash stands for."""
    if letter == c"n":
        return c"\n"
    if letter == c"r":
        return c"\r"
    if letter == c"t":
        return c"\t"
    if letter == c"b":
        return 8
    if letter == c"f":
        return 12
    if letter == c"v":
        return 11
    return 0 if letter == c"0" else letter


cdef int escaped_point(const char **at, const char *end) noexcept nogil:
    """The code point of the escape whose backslash `at` is, which moves behind it; -1: it is none."""
    cdef int point, low
    cdef int digits
    if end - at[0] < 2:
        return -1
    digits = 4 if at[0][1] == c"u" else 2 if at[0][1] == c"x" else 0
    if digits == 0:
        point = <unsigned char> simple_escape(at[0][1])
        at[0] += 2
        return point
    point = hex_digits(at[0] + 2, end, digits)
    at[0] += 2 + digits
    if 0xD800 <= point < 0xDC00 and end - at[0] >= 6 and at[0][0] == c"\\" and at[0][1] == c"u":
        low = hex_digits(at[0] + 2, end, 4)
        if 0xDC00 <= low < 0xE000:
            at[0] += 6
            return 0x10000 + ((point - 0xD800) << 10) + low - 0xDC00
    return point


cdef ssize_t unescape(const char *at, const char *end, char *out, size_t room) noexcept nogil:
    """Write what a string stands for as UTF-8; its length, -1 where an escape is none or the text is over `room`."""
    cdef size_t length = 0
    cdef int point
    while at < end:
        if length + 4 > room and (length == room or at[0] == c"\\"):
            return -1
        if at[0] != c"\\":
            out[length] = at[0]
            length += 1
            at += 1
            continue
        if end - at >= 2 and <unsigned char> at[1] >= 0x80:
            at += 1  # the backslash says nothing about a character that is no escape's
            continue
        point = escaped_point(&at, end)
        if point < 0:
            return -1
        length += put_utf_8(point, out + length)
    return length


def members(data: bytes):
    """`([(key, value, is_string)], how)` of an object; `how`: "all" of it, "more" is needed, "none": it is no JSON."""
    cdef const char *start = data
    cdef const char *at = start + 1
    cdef const char *end = start + len(data)
    cdef Member member
    cdef Found found
    result = []
    if not data:
        return result, "more"
    if data[0] != c"{":
        return result, "none"
    while True:
        found = next_member(&at, end, &member)
        if found == FOUND_PART:
            return result, "more"
        if found == FOUND_NOTHING:
            return result, "all" if at[0] == c"}" else "none"
        result.append(
            (member.key.data[:member.key.length], member.value.data[:member.value.length], member.is_string))


def text(escaped: bytes, room: int = 4096):
    """What the inside of a string stands for, None when it is no string or longer than `room` bytes."""
    cdef bytearray out = bytearray(room + 4)
    cdef const char *start = escaped
    cdef ssize_t length = unescape(start, start + len(escaped), out, room)
    return bytes(out[:length]) if length >= 0 else None
