"""Which Referer values are kept: a header that is none is removed before anything is hashed.

The rule was found by asking Envoy 1.40. A value is kept when it is empty, or an absolute URL with a host and without
user and fragment, or a relative reference (RFC 3986 section 4.2) without a fragment. In a URL, path and query may hold
any visible ASCII but `#`, which may only end it; in a relative reference they hold what RFC 3986 allows, and no colon
before the first slash. So `about:blank` and `localhost:80/x` go, `null` and `?x=1` stay.
"""

from libc.string cimport memcpy

from fastproxy.http1 cimport H_REFERER, Head
from fastproxy.syscalls cimport AF_INET, AF_INET6, inet_pton

cdef enum CharacterClass:  # bits
    IN_SCHEME = 1
    IN_HOST = 2
    IN_RELATIVE = 4
    IN_URL = 8  # path and query of an absolute URL
    IS_ALPHA = 16
    IS_DIGIT = 32

cdef enum:
    MAX_PORT = 65535
    MAX_IP_TEXT = 45  # the longest text of an IPv6 address

cdef unsigned char CLASSES[256]


cdef int fill_table() except -1:
    cdef int c
    for c in range(0x21, 0x7F):
        if c != c"#":
            CLASSES[c] |= IN_URL
    for c in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ":
        CLASSES[c] |= IS_ALPHA | IN_SCHEME | IN_HOST | IN_RELATIVE
    for c in b"0123456789":
        CLASSES[c] |= IS_DIGIT | IN_SCHEME | IN_HOST | IN_RELATIVE
    for c in b"+-.":
        CLASSES[c] |= IN_SCHEME
    for c in b"-.":
        CLASSES[c] |= IN_HOST
    for c in b"-._~!$&'()*+,;=:@/?%":
        CLASSES[c] |= IN_RELATIVE


fill_table()


# hot

cdef bint is_referer(const char *data, size_t length) noexcept nogil:
    """Whether Envoy keeps a Referer of that value."""
    return length == 0 or is_absolute(data, data + length) or is_relative(data, data + length)


cdef inline const char *skip(const char *at, const char *end, int classes) noexcept nogil:
    """The first byte that is of none of the classes, or `end`."""
    while at < end and CLASSES[<unsigned char> at[0]] & classes:
        at += 1
    return at


cdef bint is_absolute(const char *at, const char *end) noexcept nogil:
    """`scheme://host[:port]`, then nothing, or a path or query."""
    if not CLASSES[<unsigned char> at[0]] & IS_ALPHA:
        return False
    at = skip(at, end, IN_SCHEME)
    if end - at < 4 or at[0] != c":" or at[1] != c"/" or at[2] != c"/":
        return False
    at += 3
    if at[0] == c"@":  # a user without a name is none
        at += 1
    at = skip_address(at, end) if at < end and at[0] == c"[" else skip_name(at, end)
    if at == NULL:
        return False
    if at < end and at[0] == c":":
        at = skip_port(at + 1, end)
    if at == NULL or (at < end and at[0] != c"/" and at[0] != c"?"):
        return False
    at = skip(at, end, IN_URL)
    while at < end and at[0] == c"#":
        at += 1
    return at == end


cdef const char *skip_name(const char *at, const char *end) noexcept nogil:
    """Behind a host name of at least one byte, else NULL."""
    cdef const char *stop = skip(at, end, IN_HOST)
    return stop if stop > at else NULL


cdef const char *skip_port(const char *at, const char *end) noexcept nogil:
    """Behind a port of at least one digit, else NULL."""
    cdef const char *stop = skip(at, end, IS_DIGIT)
    cdef int port = 0
    if stop == at:
        return NULL
    while at < stop:
        port = port * 10 + (at[0] - 48)
        if port > MAX_PORT:
            return NULL
        at += 1
    return stop


cdef bint is_relative(const char *at, const char *end) noexcept nogil:
    """Whether no byte is out of place in a relative reference without a fragment."""
    cdef bint seen_slash = False
    while at < end:
        if at[0] == c"/":
            seen_slash = True
        elif not CLASSES[<unsigned char> at[0]] & IN_RELATIVE or (at[0] == c":" and not seen_slash):
            return False
        at += 1
    return True

# end hot


cdef const char *skip_address(const char *at, const char *end) noexcept nogil:
    """Behind a bracketed IP address, else NULL; as with Envoy it may be of either version."""
    cdef char text[MAX_IP_TEXT + 1]
    cdef unsigned char address[16]
    cdef const char *stop = at + 1
    cdef size_t length
    while stop < end and stop[0] != c"]":
        stop += 1
    length = stop - at - 1
    if stop == end or length > MAX_IP_TEXT:
        return NULL
    memcpy(text, at + 1, length)
    text[length] = 0
    if inet_pton(AF_INET6, text, address) != 1 and inet_pton(AF_INET, text, address) != 1:
        return NULL
    return stop + 1


cdef int check_referer(Head *head) except -1:
    """Remove the Referer of a parsed request when its value is none; repeated lines count as one, joined by commas."""
    cdef int first = head.first[<int> H_REFERER]
    cdef bint is_kept
    if not head.seen >> <int> H_REFERER & 1:
        return 0
    if head.repeated >> <int> H_REFERER & 1:
        is_kept = keeps(joined_value(head))
    else:
        is_kept = is_referer(head.fields[first].value.data, head.fields[first].value.length)
    if not is_kept:
        remove_referer(head)


cdef bytes joined_value(Head *head):
    """All lines that are not empty, joined."""
    cdef int i
    values = []
    for i in range(head.count):
        if head.fields[i].id == H_REFERER and head.fields[i].value.length:
            values.append(head.fields[i].value.data[:head.fields[i].value.length])
    return b",".join(values)


cdef void remove_referer(Head *head) noexcept nogil:
    """A field without a name is passed over by whoever reads the fields."""
    cdef int i
    for i in range(head.count):
        if head.fields[i].id == H_REFERER:
            head.fields[i].name.length = 0
    head.seen &= ~(1ULL << <int> H_REFERER)
    head.repeated &= ~(1ULL << <int> H_REFERER)


def keeps(value: bytes):
    """Whether a Referer of that value is kept."""
    return bool(is_referer(value, len(value)))
