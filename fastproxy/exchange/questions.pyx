"""Requests that wait while the hosts of their cluster are asked whose session it is."""

from libc.stdlib cimport free

from fastproxy.connections cimport buffer_append
from fastproxy.exchange.search_limits cimport NO_CHARGE
from fastproxy.syscalls cimport iovec
from fastproxy.upstream cimport Cluster, Host


cdef class Held:
    """How much a worker holds."""


cdef class Search:
    """One session id that is asked for, by one request or by several at the same time; they share what hosts said."""

    def __cinit__(self):
        self.declined = set()
        self.charge = NO_CHARGE


cdef class Question:
    """One request, held whole until a host takes it."""

    def __cinit__(self):
        self.asked = set()

    def __dealloc__(self):
        if self.held is not None:
            self.held.bytes -= self.counted_bytes
        free(self.request)

    cdef bint keep(self, iovec *parts, int count):
        """Put these pieces behind what came before; False, and nothing is left, without memory."""
        cdef int i
        for i in range(count):
            self.request = buffer_append(self.request, <char *> parts[i].iov_base, parts[i].iov_len)
            if self.request == NULL:
                return False
        self.held.bytes += self.request.size - self.counted_bytes
        self.counted_bytes = self.request.size
        return True

    cdef int note_asked(self, Host host) except -1:
        """It is the host's turn."""
        self.asked.add(host)
        self.silences = 0
        self.counted_bytes += ASKED_BYTES
        self.held.bytes += ASKED_BYTES

    cdef bint is_too_large(self) noexcept:
        return self.request.end - self.request.start > self.max_bytes or self.held.bytes > MAX_HELD_BYTES

    cdef Host next_host(self, Cluster cluster, Host last, bint same_name):
        """The host to ask after `last`, or None: the candidate of the others who ask, then in the cluster's order,
        and those that take no new sessions last. `same_name`: only hosts with the name that the request says."""
        cdef Host host
        cdef list hosts = cluster.hosts
        cdef Py_ssize_t start = hosts.index(last) if last in hosts else 0
        host = self.search.candidate
        if host is not None and self.may_ask(host, last, same_name):
            return host
        others = [host for host in hosts[start:] + hosts[:start] if self.may_ask(host, last, same_name)]
        return min(others, key=is_unhealthy, default=None)

    def may_ask(self, Host host, Host last, same_name):
        if host in self.asked or host in self.search.declined:
            return False
        return not same_name or host.model.hostname == last.model.hostname


def is_unhealthy(host):
    """Whether it is no regular host: it drains, is ill or in a lower priority. It may have sessions nevertheless."""
    return host.model.priority, host.model.health.value != "healthy"
