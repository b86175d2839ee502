"""Paths of routes, compared in C: one array for a virtual host, walked from the first route to the last."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.slices cimport Slice

cdef enum PathKind:
    PATH_PREFIX  # of path and query
    PATH_EXACT
    PATH_SEPARATED_PREFIX  # a prefix that ends where a part of the path ends
    PATH_REGEX  # `text` is how every match begins; the rest is for the regular expression to say

cdef struct PathMatcher:
    const char *text
    uint64_t tail  # the last 8 bytes of `text`, where it has as many and their case counts
    uint32_t length
    bint has_tail
    bint ignore_case
    PathKind kind


cdef void path_matcher_init(
    PathMatcher *matcher, PathKind kind, const char *text, size_t length, bint ignore_case) noexcept nogil
cdef bint path_fits(const PathMatcher *matcher, Slice path, size_t bare) noexcept nogil
cdef Py_ssize_t next_fitting(
    const PathMatcher *matchers, Py_ssize_t count, Py_ssize_t start, Slice path, size_t bare) noexcept nogil
