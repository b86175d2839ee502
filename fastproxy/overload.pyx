"""What keeps a worker from taking on more: the overload manager's actions, and its own descriptors.

The supervisor measures and decides (`overload_watch`); a worker reads one word that says how far each action goes.
Descriptors need no configuration: nobody else can know how many of them a worker has left.
"""

import os
import resource

from libc.stdlib cimport free, malloc

from fastproxy.counters cimport listener_downstream_cx_active

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
        self.max_fds = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if max_fds is None else max_fds
        self.measure(0)

    def __dealloc__(self):
        free(self.connections)

    def configure(self, configuration, layout, rows):
        """Act on another configuration; `rows` are the counters of all workers."""
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
        <int> DISABLE_HTTP_KEEPALIVE, <int> SHRINK_HEAP, <int> REFUSE_NEW_SESSIONS,
    ]
