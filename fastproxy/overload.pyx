"""What keeps a worker from taking on more: the overload manager's actions, and its own descriptors.

The supervisor measures and decides (`overload_watch`); a worker reads two words that say how far each action goes, and
how much of the load is shed at which point.
Descriptors need no configuration: nobody else can know how many of them a worker has left.
"""

import os
import resource

from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fastproxy.counters cimport listener_downstream_cx_active
from fastproxy.model import LoadShedPoint
from fastproxy.model import TimerType as Timers

cdef extern from "<malloc.h>" nogil:
    int malloc_trim(size_t pad)

cdef enum:
    SCARCE_SHARE = 20  # one of so many descriptors is kept for what stands: 5 percent
    MIN_SCARCE_FDS = 16
    RESERVED_SHARE = 100  # one of so many is kept for connections to hosts
    MIN_RESERVED_FDS = 4
    FDS_OF_REQUEST = 2  # the client's, and the host's


cdef class Overload:
    """`view` are SCALES_BYTES of shared memory, None where there is no supervisor."""

    def __init__(self, view=None, max_fds=None):
        cdef const uint8_t[::1] scales
        self.view = scales = bytearray(SCALES_BYTES) if view is None else view
        self.scales = &scales[0]
        self.count_nowhere()
        self.max_fds = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if max_fds is None else max_fds
        self.measure(0)

    def __dealloc__(self):
        free(self.connections)

    cdef void count_nowhere(self) noexcept:
        cdef int point
        for point in range(<int> SHED_POINTS):
            self.shed_counts[point] = &self.uncounted

    def configure(self, configuration, layout, rows, own=None):
        """Act on another configuration; `rows` are the counters of all workers, `own` those of this one."""
        cdef uint64_t[::1] row
        cdef size_t count = 0
        slots = {layout.listener(index) for index in range(len(configuration.listeners))}
        free(self.connections)
        self.connection_gauges = 0
        self.connections = <uint64_t **> malloc(max(1, len(slots) * len(rows)) * sizeof(uint64_t *))
        if self.connections == NULL:
            raise MemoryError
        for view in rows:
            row = view
            for slot in slots:
                self.connections[count] = &row[<Py_ssize_t> slot + <int> listener_downstream_cx_active]
                count += 1
        self.rows = rows
        self.connection_gauges = count
        self.max_connections = configuration.overload.max_downstream_connections
        self.count_shed(configuration.overload, layout, rows[0] if own is None else own)
        self.set_timers(configuration.overload.timers)

    cdef count_shed(self, model, layout, own):
        """Count what is shed in this worker's row."""
        cdef uint64_t[::1] row = own
        points = list(LoadShedPoint)
        self.row = own
        self.count_nowhere()
        for each in model.actions:
            if each.action in points:
                self.shed_counts[<int> points.index(each.action)] = \
                    &row[<Py_ssize_t> layout.block("shed_point", each.action.value)]

    cdef set_timers(self, timers):
        cdef ScaledTimer *timer
        memset(self.timers, 0, sizeof(self.timers))
        for each in timers:
            timer = &self.timers[<int> list(Timers).index(each.timer)]
            timer.is_set = True
            timer.is_share = each.min_s is None
            timer.min_ms = 0 if each.min_s is None else max(1, round(1000 * each.min_s))
            timer.min_share = each.min_share

    def measure(self, open_count):
        """Look again how many descriptors there are besides those `open_count`; costs as much as there are."""
        cdef size_t held = max(len(os.listdir("/proc/self/fd")) - 1, open_count)
        cdef size_t usable, scarce, reserved
        self.other_fds = held - <size_t> open_count
        usable = self.max_fds - self.other_fds if self.max_fds > self.other_fds else 0
        scarce = self.max_fds // SCARCE_SHARE
        if scarce < MIN_SCARCE_FDS:
            scarce = MIN_SCARCE_FDS
        reserved = self.max_fds // RESERVED_SHARE
        if reserved < MIN_RESERVED_FDS:
            reserved = MIN_RESERVED_FDS
        reserved += FDS_OF_REQUEST
        self.scarce_at = usable - scarce if usable > scarce else 0
        self.full_at = usable - reserved if usable > reserved else 0

    def shrink(self):
        """What is to be done once a second under pressure: give memory back to the system."""
        if self.scales[<int> SHRINK_HEAP]:
            malloc_trim(0)

    # hot

    cdef bint acts(self, Action action, uint64_t random) noexcept nogil:
        """Whether an action concerns the case at hand: of a scaled one, only its share of them."""
        return random % 100 < self.scales[<int> action]

    cdef bint is_complete(self, Action action) noexcept nogil:
        return self.scales[<int> action] >= 100

    cdef bint sheds(self, Point point, uint64_t random) noexcept nogil:
        """Whether the load at hand is shed at a point; counts it."""
        if random % 100 >= self.scales[<int> POINTS_AT + <int> point]:
            return False
        self.shed_counts[<int> point][0] += 1
        return True

    cdef bint reduces_timeouts(self) noexcept nogil:
        return self.scales[<int> REDUCE_TIMEOUTS] != 0

    cdef uint64_t reduced_ms(self, TimerType timer, uint64_t timeout_ms) noexcept nogil:
        """What a timeout is at present; 0 stays 0, which is none."""
        cdef const ScaledTimer *scaled = &self.timers[<int> timer]
        cdef uint64_t percent = min(self.scales[<int> REDUCE_TIMEOUTS], 100)
        cdef uint64_t least_ms
        if not scaled.is_set or timeout_ms == 0 or percent == 0:
            return timeout_ms
        least_ms = <uint64_t> (scaled.min_share * timeout_ms) if scaled.is_share else scaled.min_ms
        least_ms = max(<uint64_t> 1, min(least_ms, timeout_ms))
        return least_ms + (timeout_ms - least_ms) * (100 - percent) // 100

    cdef bint has_all_connections(self) noexcept nogil:
        """Whether all workers together have as many downstream connections as they may. Two workers that accept at
        the same moment may both see room for the last one."""
        cdef uint64_t total = 0
        cdef size_t i
        if self.max_connections == 0:
            return False
        for i in range(self.connection_gauges):
            total += self.connections[i][0]
        return total >= self.max_connections

    # end hot


def actions():
    """The places of the actions, for those who hold them against model.OverloadAction."""
    return [
        <int> STOP_ACCEPTING_REQUESTS, <int> STOP_ACCEPTING_CONNECTIONS, <int> REJECT_INCOMING_CONNECTIONS,
        <int> DISABLE_HTTP_KEEPALIVE, <int> SHRINK_HEAP, <int> REFUSE_NEW_SESSIONS, <int> REDUCE_TIMEOUTS,
    ]


def points():
    """The places of the points, for those who hold them against model.LoadShedPoint."""
    return [
        <int> POINTS_AT + <int> each
        for each in (SHED_ACCEPT, SHED_HEADERS, SHED_DISPATCH, SHED_CODEC, SHED_ROUTER, SHED_CONNECT)
    ]


def reduced(Overload overload, timer, uint64_t timeout_ms):
    """What a timeout of a model.TimerType is at present."""
    return overload.reduced_ms(<TimerType> <int> list(Timers).index(timer), timeout_ms)
