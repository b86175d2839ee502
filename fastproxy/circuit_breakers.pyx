"""How many connections, waiting requests, requests and retries a cluster may have, by priority.

The same as the resource manager of an Envoy cluster. Each worker counts in a row of its own of shared memory, and a
limit is compared with the sum over the rows, which is read without locks. Workers that look at the same moment may each
find the last place free: a limit is exceeded by one for each other worker at most, and only for as long as what these
workers began then goes on.

What is counted for both priorities together is the statistic that Envoy has anyway; beside it only the high priority
is counted.
"""

from libc.stdlib cimport calloc, free

from fastproxy.counters cimport (
    cluster_high_cx_active, cluster_high_rq_active, cluster_high_rq_pending_active, cluster_high_rq_retry_active,
    cluster_rq_retry_active, cluster_upstream_cx_active, cluster_upstream_rq_active, cluster_upstream_rq_pending_active,
    host_cx_active,
)

cdef uint64_t UNLIMITED = <uint64_t> 0xFFFFFFFF  # model_clusters.UNLIMITED
cdef Py_ssize_t BOTH[4]
cdef Py_ssize_t HIGH[4]
BOTH[:] = [
    <Py_ssize_t> cluster_upstream_cx_active, <Py_ssize_t> cluster_upstream_rq_pending_active,
    <Py_ssize_t> cluster_upstream_rq_active, <Py_ssize_t> cluster_rq_retry_active,
]
HIGH[:] = [
    <Py_ssize_t> cluster_high_cx_active, <Py_ssize_t> cluster_high_rq_pending_active,
    <Py_ssize_t> cluster_high_rq_active, <Py_ssize_t> cluster_high_rq_retry_active,
]
NAMES = ("connections", "pending_requests", "requests", "retries")


cdef class CircuitBreakers:
    """The thresholds of one cluster (model.CircuitBreakers). `rows` are the counters of all workers (buffers of 64-bit
    words), `row` those of this one, `cluster_slot` where the cluster's begin in each."""

    def __cinit__(self, model, rows, row, Py_ssize_t cluster_slot):
        cdef const uint64_t[::1] view
        cdef uint64_t[::1] own = row
        cdef Py_ssize_t i
        self.rows = <const uint64_t **> calloc(len(rows) + 1, sizeof(uint64_t *))
        if self.rows == NULL:
            raise MemoryError
        self.owners = (tuple(rows), row)
        self.row_count = len(rows)
        for i, each in enumerate(rows):
            view = each
            self.rows[i] = &view[cluster_slot]
        self.own = &own[cluster_slot]
        for i, thresholds in enumerate((model.default, model.high)):
            self.set_limits(i, thresholds)

    def __dealloc__(self):
        free(<void *> self.rows)

    def set_limits(self, Py_ssize_t priority, thresholds):
        self.limits[priority][:] = [
            thresholds.max_connections, thresholds.max_pending_requests, thresholds.max_requests,
            thresholds.max_retries,
        ]
        self.max_connections_per_host[priority] = thresholds.max_connections_per_host
        self.budget_percent[priority] = -1
        if thresholds.retry_budget is not None:
            self.budget_percent[priority] = thresholds.retry_budget.budget_percent
            self.limits[priority][<int> RETRIES] = thresholds.retry_budget.min_retry_concurrency

    # hot

    cdef bint admits(self, Resource resource, Priority priority) noexcept nogil:
        """Whether there may be one more."""
        cdef uint64_t limit = self.limits[<int> priority][<int> resource]
        if limit == UNLIMITED or self.sum(BOTH[<int> resource]) < limit:
            return True
        return self.count(resource, priority) < limit

    cdef bint admits_connection(self, Py_ssize_t host_slot, Priority priority) noexcept nogil:
        """Whether a host may have one more connection; `host_slot` is where its counters are, from the cluster's on."""
        cdef uint64_t limit = self.max_connections_per_host[<int> priority]
        if limit != UNLIMITED and self.sum(host_slot + <Py_ssize_t> host_cx_active) >= limit:
            return False
        return self.admits(CONNECTIONS, priority)

    cdef bint may_retry(self, Priority priority) noexcept nogil:
        """Whether a request may be sent once more: `max_retries`, or the retry budget in its place."""
        cdef double percent = self.budget_percent[<int> priority]
        cdef uint64_t active
        if self.admits(RETRIES, priority):
            return True
        if percent < 0:
            return False
        active = self.count(REQUESTS, priority) + self.count(PENDING_REQUESTS, priority)
        return self.count(RETRIES, priority) < <uint64_t> (percent / 100 * active)

    cdef void retry_begins(self, Priority priority) noexcept nogil:
        """Count a retry until `retry_ends`."""
        self.own[BOTH[<int> RETRIES]] += 1
        if priority == PRIORITY_HIGH:
            self.own[HIGH[<int> RETRIES]] += 1

    cdef void retry_ends(self, Priority priority) noexcept nogil:
        self.own[BOTH[<int> RETRIES]] -= 1
        if priority == PRIORITY_HIGH:
            self.own[HIGH[<int> RETRIES]] -= 1

    cdef uint64_t count(self, Resource resource, Priority priority) noexcept nogil:
        """How many there are now, in all workers."""
        cdef uint64_t high = self.sum(HIGH[<int> resource])
        cdef uint64_t both
        if priority == PRIORITY_HIGH:
            return high
        both = self.sum(BOTH[<int> resource])
        return both - high if both > high else 0

    cdef uint64_t sum(self, Py_ssize_t slot) noexcept nogil:
        cdef uint64_t total = 0
        cdef Py_ssize_t i
        for i in range(self.row_count):
            total += self.rows[i][slot]
        return total

    # end hot

    def counts(self, str priority):
        """How many there are of each of NAMES; `priority` is `default` or `high`."""
        return {name: self.count(<Resource> i, priority_of(priority)) for i, name in enumerate(NAMES)}

    def admitted(self, str priority):
        """Of which of NAMES there may be one more."""
        cdef Priority of = priority_of(priority)
        found = {name for i, name in enumerate(NAMES[: len(NAMES) - 1]) if self.admits(<Resource> i, of)}
        return found | ({"retries"} if self.may_retry(of) else set())

    def begin_retry(self, str priority):
        """Count a retry if there may be one."""
        cdef Priority of = priority_of(priority)
        cdef bint may = self.may_retry(of)
        if may:
            self.retry_begins(of)
        return may

    def end_retry(self, str priority):
        self.retry_ends(priority_of(priority))


cdef Priority priority_of(str name) except *:
    return PRIORITY_HIGH if name == "high" else PRIORITY_DEFAULT
