"""Where a new session begins: on the host with the fewest live ones for its weight.

Live at a host are the sessions that the table has for it, those that are just being opened there, and its WebSockets,
of all workers together. Two workers that choose at the same time do not see each other's choice yet: the counts of
equal hosts may then differ by as many sessions as there are workers.
"""

from libc.stdlib cimport calloc, free

from fastproxy.counters cimport host_sid_opening_active, host_ws_active


cdef class SessionPlacement:
    """`rows` are the counters of all workers (buffers of 64-bit words); for each host of a cluster, `host_slots` are
    where its counters begin in them, and `digests` its names in the session table."""

    def __cinit__(self, rows, host_slots, digests):
        cdef const uint64_t[::1] view
        cdef Py_ssize_t i
        self.rows = <const uint64_t **> calloc(len(rows) + 1, sizeof(uint64_t *))
        self.host_slots = <Py_ssize_t *> calloc(len(host_slots) + 1, sizeof(Py_ssize_t))
        self.digests = <uint32_t *> calloc(len(digests) + 1, sizeof(uint32_t))
        if self.rows == NULL or self.host_slots == NULL or self.digests == NULL:
            raise MemoryError
        self.owners = tuple(rows)
        self.row_count = len(rows)
        for i, row in enumerate(rows):
            view = row
            self.rows[i] = &view[0]
        for i, slot in enumerate(host_slots):
            self.host_slots[i] = slot
            self.digests[i] = digests[i]

    def __dealloc__(self):
        free(<void *> self.rows)
        free(self.host_slots)
        free(self.digests)

    cdef Py_ssize_t choose(self, Balancer balancer, SessionTable table) noexcept:
        """The place of the host for a new session, one of those that the balancer would choose among; -1: none."""
        cdef Balancer group = balancer.next_group()
        return -1 if group is None else self.fewest(group, table)

    # hot

    cdef Py_ssize_t fewest(self, Balancer group, SessionTable table) noexcept nogil:
        """Of several hosts that are best any, each as likely as the other."""
        cdef Py_ssize_t i, best = -1
        cdef uint64_t equals = 0
        cdef double load, least = 0.0
        for i in range(group.size):
            load = <double> (self.live_at(group.members[i], table) + 1) / group.weights[i]
            if best < 0 or load < least:
                best, least, equals = group.members[i], load, 1
            elif load == least:
                equals += 1
                if group.random() % equals == 0:
                    best = group.members[i]
        return best

    cdef uint64_t live_at(self, Py_ssize_t place, SessionTable table) noexcept nogil:
        """All that live there, openings and WebSockets among them."""
        cdef Py_ssize_t slot = self.host_slots[place]
        cdef uint64_t live = table.live_at(self.digests[place])
        cdef Py_ssize_t i
        for i in range(self.row_count):
            live += self.rows[i][slot + <int> host_sid_opening_active] + self.rows[i][slot + <int> host_ws_active]
        return live

    # end hot

    def pick(self, Balancer balancer, SessionTable table):
        """The place of the host for a new session."""
        return self.choose(balancer, table)
