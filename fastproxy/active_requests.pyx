"""How many requests are under way at each host of a cluster, all workers together.

Each worker counts in a row of its own of shared memory; the sum over the rows is what Envoy's one process counts. It
is read without locks, so a request that another worker is just about to send may be missed.
"""

from libc.stdlib cimport calloc, free


cdef class ActiveRequests:
    """`rows` are the counters of all workers (buffers of 64-bit words), `host_slots` and `cluster_slot` the offsets in
    them of the gauges `rq_active` and `upstream_rq_active`."""

    def __cinit__(self, rows, Py_ssize_t cluster_slot, host_slots):
        cdef const uint64_t[::1] view
        cdef Py_ssize_t i
        self.rows = <const uint64_t **> calloc(len(rows) + 1, sizeof(uint64_t *))
        self.host_slots = <Py_ssize_t *> calloc(len(host_slots) + 1, sizeof(Py_ssize_t))
        if self.rows == NULL or self.host_slots == NULL:
            raise MemoryError
        self.owners = tuple(rows)
        self.row_count = len(rows)
        self.size = len(host_slots)
        self.cluster_slot = cluster_slot
        for i, row in enumerate(rows):
            view = row
            self.rows[i] = &view[0]
        for i, slot in enumerate(host_slots):
            self.host_slots[i] = slot

    def __dealloc__(self):
        free(<void *> self.rows)
        free(self.host_slots)

    # hot

    cdef uint64_t at_host(self, Py_ssize_t place) noexcept nogil:
        return self.sum(self.host_slots[place])

    cdef uint64_t in_cluster(self) noexcept nogil:
        return self.sum(self.cluster_slot)

    cdef uint64_t sum(self, Py_ssize_t slot) noexcept nogil:
        cdef uint64_t total = 0
        cdef Py_ssize_t i
        for i in range(self.row_count):
            total += self.rows[i][slot]
        return total

    # end hot

    def counts(self):
        """`(in the cluster, [at each host])`."""
        return self.in_cluster(), [self.at_host(place) for place in range(self.size)]
