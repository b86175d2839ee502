"""What a route makes of the path and the authority of its requests."""

from fastproxy.path_matching cimport PathMatcher
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice


cdef class RegexRewriter:
    cdef object regex
    cdef object substitution

    cdef bytes rewritten(self, const char *text, size_t length)


cdef class PathRewriter:
    cdef bytes prefix
    cdef RegexRewriter regex

    cdef bytes rewritten(self, Slice path, const PathMatcher *matcher)


cdef class HostRewriter:
    cdef bytes literal
    cdef bytes header_name
    cdef RegexRewriter path_regex

    cdef bytes rewritten(self, const RequestFacts *facts)


cdef Slice header_value(const RequestFacts *facts, bytes name)
