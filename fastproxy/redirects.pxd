"""Where a redirect sends a client."""

from fastproxy.path_matching cimport PathMatcher
from fastproxy.request_facts cimport RequestFacts
from fastproxy.rewriting cimport PathRewriter
from fastproxy.slices cimport Slice


cdef class Redirect:
    cdef readonly int status
    cdef bytes scheme
    cdef bytes host
    cdef bytes port
    cdef bytes path
    cdef bint path_has_query
    cdef bint strip_query
    cdef bint keeps_authority
    cdef PathRewriter rewriter

    cdef bytes location(self, const RequestFacts *facts, const PathMatcher *matcher)
    cdef bytes new_path(self, Slice path, const PathMatcher *matcher)
    cdef bytes new_host(self, const RequestFacts *facts, bytes scheme)
