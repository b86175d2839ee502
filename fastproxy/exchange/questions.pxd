"""Requests that wait while the hosts of their cluster are asked whose session it is."""

from libc.stdint cimport uint64_t

from fastproxy.connections cimport Buffer
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Cluster, Host

cdef enum:
    MAX_HELD_BYTES = 67108864  # of all requests of a worker that wait
    ASKED_BYTES = 64  # what it takes to know that a host was asked


cdef class Held:
    cdef readonly size_t bytes  # of all requests of a worker that wait


cdef class Search:
    cdef object __weakref__
    cdef uint64_t key
    cdef set declined  # Hosts
    cdef Host candidate  # was asked last, and has not declined; None: nobody yet
    cdef bint is_begun  # somebody was asked
    cdef uint64_t client  # who began it, for SearchLimits
    cdef int charge  # what it has taken of them; less than 0: nothing
    cdef bint is_found
    cdef bint is_remembered  # as the candidate's, which has not said so


cdef class Question:
    cdef Search search
    cdef Held held
    cdef Buffer *request  # head and body, as they are sent
    cdef size_t counted_bytes  # of `held`
    cdef size_t max_bytes
    cdef set asked  # Hosts that it was sent to, or that could not be connected
    cdef int silences  # of the last of them: SETTLED_MS, BELIEVED_MS

    cdef int note_asked(self, Host host) except -1
    cdef bint keep(self, iovec *parts, int count)
    cdef bint is_too_large(self) noexcept
    cdef Host next_host(self, Cluster cluster, Host last, bint same_name)
