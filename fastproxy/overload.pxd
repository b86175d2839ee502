"""The workers' part of the overload manager, and how many descriptors a worker may still open."""

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    SCALES_BYTES = 64  # a cache line, one byte for each action

cdef enum Action:  # the order of model.OverloadAction
    STOP_ACCEPTING_REQUESTS
    STOP_ACCEPTING_CONNECTIONS
    REJECT_INCOMING_CONNECTIONS
    DISABLE_HTTP_KEEPALIVE
    SHRINK_HEAP
    REFUSE_NEW_SESSIONS


cdef class Overload:
    cdef object view  # keeps `scales`
    cdef object rows  # keep `connections`
    cdef const uint8_t *scales  # percent, written by the supervisor
    cdef uint64_t **connections  # gauges of listeners in the rows of all workers
    cdef size_t connection_gauges
    cdef uint64_t max_connections  # of all workers together; 0: not limited
    cdef readonly size_t max_fds
    cdef readonly size_t other_fds  # that are no connections and no listeners
    cdef readonly size_t scarce_at  # open connections from which on descriptors are scarce
    cdef readonly size_t full_at  # from which on nothing is accepted

    cdef bint acts(self, Action action, uint64_t random) noexcept nogil
    cdef bint is_complete(self, Action action) noexcept nogil
    cdef bint has_all_connections(self) noexcept nogil


cdef inline bint is_calm(Overload overload) noexcept nogil:
    """Whether no action of the overload manager is active."""
    return (<const uint64_t *> overload.scales)[0] == 0
