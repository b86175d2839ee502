"""What the outcome of a request says about its host: counted for outlier detection, and told when it is too much.

How many requests there were, and how many of them were well, each worker counts in its own row. Failures in a row are
one number for all workers, changed atomically in the first row; whoever brings it to its limit tells the supervisor,
which decides and sets it to zero. Hosts of clusters without outlier detection and health checks cost a comparison.

What counts is what Envoy counts (outlier_detection_impl.cc): an answer by its status; a connection that cannot be had
or ends before the answer, and an answer that does not come in time, as local origin failure, which is a 503 or 504
unless the cluster tells the two kinds apart. A 101 is a success, and no end of what follows is a failure.
"""

from libc.stdint cimport uint64_t

from fastproxy.counters cimport (
    host_answers_success, host_answers_total, host_origin_success, host_origin_total, host_row_5xx,
    host_row_gateway_failure, host_row_local_origin_failure, host_said_it_fails,
)
from fastproxy.http1 cimport H_X_ENVOY, Head, bit
from fastproxy.upstream cimport Cluster, Host

cdef extern from *:
    uint64_t atomic_add "__atomic_add_fetch"(uint64_t *word, uint64_t amount, int order) noexcept nogil
    uint64_t atomic_exchange "__atomic_exchange_n"(uint64_t *word, uint64_t value, int order) noexcept nogil
    int RELAXED "__ATOMIC_RELAXED"

cdef bytes IMMEDIATE_FAIL = b"x-envoy-immediate-health-check-fail"


cdef class HostWatch:
    """Watches the hosts of one worker."""

    cdef void answered(self, Host host, int status) noexcept:
        """The host has answered with that status."""
        if host.watched != NULL and host.cluster.detects_outliers:
            self.count_answer(host, status)

    cdef void origin_failed(self, Host host, int status) noexcept:
        """There was no answer, or not all of it. `status` is what the client gets, or would have got, for that."""
        if host.watched == NULL or not host.cluster.detects_outliers:
            return
        if host.cluster.splits_origin_errors:
            self.count_origin(host, False)
        else:
            self.count_answer(host, status)

    cdef void connected(self, Host host) noexcept:
        """There is a connection to the host; what it carries will tell more."""
        if host.watched != NULL and host.cluster.splits_origin_errors:
            self.count_origin(host, True)

    cdef void connected_finally(self, Host host) noexcept:
        """There is a connection to the host, and no more will be known."""
        if host.watched == NULL or not host.cluster.detects_outliers:
            return
        if host.cluster.splits_origin_errors:
            self.count_origin(host, True)
        else:
            self.count_answer(host, 200)

    cdef void look(self, Host host, const Head *head) noexcept:
        """The head of an ordinary answer may ask to leave its host out."""
        cdef int i
        if host.watched == NULL or not host.cluster.is_checked or not head.seen & bit(H_X_ENVOY):
            return
        for i in range(head.received):
            if head.fields[i].name.data[:head.fields[i].name.length].lower() == IMMEDIATE_FAIL:
                if not atomic_exchange(host.watched + <int> host_said_it_fails, 1, RELAXED):
                    self.tell(host, "")
                return

    cdef void count_answer(self, Host host, int status) noexcept:
        cdef Cluster cluster = host.cluster
        host.counters[<int> host_answers_total] += 1
        if status < 500:
            host.counters[<int> host_answers_success] += 1
            begin_row(host, <int> host_row_5xx)
            begin_row(host, <int> host_row_gateway_failure)
            return
        if 502 <= status <= 504:
            self.count_failure(
                host, <int> host_row_gateway_failure, cluster.max_gateway_failures, "consecutive_gateway_failure")
        else:
            begin_row(host, <int> host_row_gateway_failure)
        self.count_failure(host, <int> host_row_5xx, cluster.max_5xx, "consecutive_5xx")

    cdef void count_origin(self, Host host, bint success) noexcept:
        host.counters[<int> host_origin_total] += 1
        if success:
            host.counters[<int> host_origin_success] += 1
            begin_row(host, <int> host_row_local_origin_failure)
        else:
            self.count_failure(
                host, <int> host_row_local_origin_failure, host.cluster.max_local_origin_failures,
                "consecutive_local_origin_failure")

    cdef void count_failure(self, Host host, int word, uint64_t limit, str kind) noexcept:
        """One more in a row. Only who comes to the limit tells it: the supervisor begins the row again."""
        if atomic_add(host.watched + word, 1, RELAXED) == limit:
            self.tell(host, kind)

    cdef void tell(self, Host host, str kind) noexcept:
        if self.report is not None:
            self.report(host.cluster.name.decode(), host.address.decode(), kind)


# hot

cdef inline void begin_row(Host host, int word) noexcept:
    """The host is well again. The word is written only when it says otherwise: all workers share its cache line."""
    if host.watched[word]:
        host.watched[word] = 0

# end hot
