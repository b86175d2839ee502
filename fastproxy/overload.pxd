"""The workers' part of the overload manager, and how many descriptors a worker may still open."""

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    SCALES_BYTES = 64  # a cache line: a word of one byte for each action, and one for the points
    POINTS_AT = 8

cdef enum Action:  # the order of model.OverloadAction
    STOP_ACCEPTING_REQUESTS
    STOP_ACCEPTING_CONNECTIONS
    REJECT_INCOMING_CONNECTIONS
    DISABLE_HTTP_KEEPALIVE
    SHRINK_HEAP
    REFUSE_NEW_SESSIONS
    REDUCE_TIMEOUTS

cdef enum Point:  # the order of model.LoadShedPoint, in the second word
    SHED_ACCEPT
    SHED_HEADERS
    SHED_DISPATCH
    SHED_CODEC
    SHED_ROUTER
    SHED_CONNECT
    SHED_POINTS

cdef enum TimerType:  # the order of model.TimerType
    TIMER_CONNECTION_IDLE
    TIMER_STREAM_IDLE
    TIMER_CONNECTION_MAX
    TIMER_TYPES

cdef struct ScaledTimer:
    bint is_set
    bint is_share
    uint64_t min_ms
    double min_share


cdef class Overload:
    cdef object view  # keeps `scales`
    cdef object row  # keeps `shed_counts`
    cdef uint64_t *shed_counts[6]  # SHED_POINTS; of the worker
    cdef uint64_t uncounted  # of a point that the configuration has no more
    cdef ScaledTimer timers[3]  # TIMER_TYPES
    cdef object rows  # keep `connections`
    cdef const uint8_t *scales  # percent, written by the supervisor
    cdef uint64_t **connections  # gauges of listeners in the rows of all workers
    cdef size_t connection_gauges
    cdef uint64_t max_connections  # of all workers together; 0: not limited
    cdef readonly size_t max_fds
    cdef readonly size_t other_fds  # that are no connections and no listeners
    cdef readonly size_t scarce_at  # open connections from which on descriptors are scarce
    cdef readonly size_t full_at  # from which on nothing is accepted

    cdef void count_nowhere(self) noexcept
    cdef count_shed(self, model, layout, own)
    cdef set_timers(self, timers)
    cdef bint acts(self, Action action, uint64_t random) noexcept nogil
    cdef bint is_complete(self, Action action) noexcept nogil
    cdef bint sheds(self, Point point, uint64_t random) noexcept nogil
    cdef bint reduces_timeouts(self) noexcept nogil
    cdef uint64_t reduced_ms(self, TimerType timer, uint64_t timeout_ms) noexcept nogil
    cdef bint has_all_connections(self) noexcept nogil


cdef inline bint is_calm(Overload overload) noexcept nogil:
    """Whether nothing of the overload manager is active."""
    return ((<const uint64_t *> overload.scales)[0] | (<const uint64_t *> overload.scales)[1]) == 0
