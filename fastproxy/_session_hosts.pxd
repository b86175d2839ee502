cimport cython
from libc.stdint cimport uint32_t, uint64_t

from fastproxy._session_words cimport load

cdef enum:
    HOST_LINES = 1 << 12  # the head and a line for each host
    HOSTS_BYTES = HOST_LINES * 64


cdef struct HostLine:  # a cache line
    uint64_t claim  # digest << 32 | CLAIMED | number of words in the table that name the host
    uint64_t live  # how many of them are not handed over
    uint64_t spare[6]


cdef struct HeadLine:  # the first line, which stands for no host
    uint64_t reach  # how far from its home any host lies, at most
    uint64_t sweeper  # slots of the table that were swept so far
    uint64_t spare[6]


cdef inline uint32_t digest_at(const HostLine *hosts, uint32_t host) noexcept nogil:
    return <uint32_t> (load(&hosts[host].claim) >> 32)


@cython.final
cdef class SessionHosts:
    cdef Py_buffer view
    cdef bint has_view
    cdef HostLine *lines
    cdef HeadLine *head

    cdef int find(self, uint32_t digest) noexcept nogil
    cdef int place_for(self, uint32_t digest) noexcept nogil
    cdef bint enter(self, int host, uint32_t digest) noexcept nogil
    cdef void reach_for(self, int host, uint32_t digest) noexcept nogil

    cdef int hold(self, uint32_t digest) noexcept nogil
    cdef void hold_again(self, uint64_t value) noexcept nogil
    cdef void release(self, uint64_t value) noexcept nogil
    cdef void hand_over(self, uint64_t value) noexcept nogil
    cdef uint64_t live_at(self, uint32_t digest) noexcept nogil
    cdef const uint64_t *live_counter(self, uint32_t digest) noexcept nogil
