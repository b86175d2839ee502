"""Paths of routes, compared in C: one array for a virtual host, walked from the first route to the last.

Routes of one host mostly begin alike and end differently, so the last eight bytes are looked at first.
"""

from libc.string cimport memcmp, memcpy

from fastproxy.syscalls cimport strncasecmp


cdef void path_matcher_init(
    PathMatcher *matcher, PathKind kind, const char *text, size_t length, bint ignore_case
) noexcept nogil:
    """`text` is borrowed for as long as the matcher is used."""
    matcher.kind = kind
    matcher.text = text
    matcher.length = <uint32_t> length
    matcher.ignore_case = ignore_case
    matcher.has_tail = length >= 8 and not ignore_case
    matcher.tail = 0
    if matcher.has_tail:
        memcpy(&matcher.tail, text + length - 8, 8)


# hot

cdef inline bint fits(const PathMatcher *matcher, Slice path, size_t bare) noexcept nogil:
    cdef size_t length = matcher.length
    cdef uint64_t tail
    if length > path.length:
        return False
    if matcher.kind == PATH_EXACT:
        if length != bare:
            return False
    elif matcher.kind == PATH_SEPARATED_PREFIX:
        if length > bare or length < bare and path.data[length] != c"/":
            return False
    if matcher.has_tail:
        memcpy(&tail, path.data + length - 8, 8)
        return tail == matcher.tail and memcmp(path.data, matcher.text, length - 8) == 0
    if matcher.ignore_case:
        return strncasecmp(path.data, matcher.text, length) == 0
    return memcmp(path.data, matcher.text, length) == 0


cdef bint path_fits(const PathMatcher *matcher, Slice path, size_t bare) noexcept nogil:
    """Whether a path, of which `bare` bytes come before its query, fits."""
    return fits(matcher, path, bare)


cdef Py_ssize_t next_fitting(
    const PathMatcher *matchers, Py_ssize_t count, Py_ssize_t start, Slice path, size_t bare
) noexcept nogil:
    """The first matcher from `start` on that the path fits; -1: none."""
    cdef Py_ssize_t at
    for at in range(start, count):
        if fits(&matchers[at], path, bare):
            return at
    return -1

# end hot
