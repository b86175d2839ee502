"""For how many session ids that perhaps nobody knows a worker asks, and how that is shared between its clients."""

from libc.stdint cimport uint64_t

from fastproxy.addresses cimport PeerAddress

cdef enum:
    SEARCHES = 4096  # that a worker may have under way, or in vain, at once
    SEARCH_MS = 10  # one that was in vain counts for so long
    SOURCES = 4096  # a power of two; each client has two of them
    SOURCE_SEARCHES = 1024  # of the worker's, for one source
    SOURCE_SEARCH_MS = 80
    OWN_SEARCHES = 2  # for a source when the worker's are used up
    OWN_SEARCH_MS = 40000


cpdef enum Charge:  # what is not one of SearchLimits.take's
    NO_CHARGE = -1
    LIMITED_BY_WORKER = -2
    LIMITED_BY_SOURCE = -3


cdef struct Used:
    double searches
    uint64_t at_ms


cdef struct Source:
    Used shared  # of the worker's
    Used own


cdef class SearchLimits:
    cdef Source *sources
    cdef Used worker
    cdef uint64_t key[2]

    cpdef int take(self, uint64_t client, uint64_t now_ms) noexcept
    cpdef void give_back(self, int charge) noexcept


cdef uint64_t client_number(const PeerAddress *address) noexcept
