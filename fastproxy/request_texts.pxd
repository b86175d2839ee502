"""Texts that a format makes of each request."""

cimport cython

from fastproxy.log_operations cimport Formats
from fastproxy.request_facts cimport RequestFacts


@cython.final
cdef class RequestText:
    cdef Formats formats

    cdef bytes of(self, const RequestFacts *request)
