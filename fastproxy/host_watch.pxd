"""What the outcome of a request says about its host."""

from libc.stdint cimport uint64_t

from fastproxy.http1 cimport Head
from fastproxy.upstream cimport Host


cdef class HostWatch:
    cdef public object report  # callable(cluster, address, kind); None: nobody is to be told

    cdef void answered(self, Host host, int status) noexcept
    cdef void origin_failed(self, Host host, int status) noexcept
    cdef void connected(self, Host host) noexcept
    cdef void connected_finally(self, Host host) noexcept
    cdef void look(self, Host host, const Head *head) noexcept
    cdef void count_answer(self, Host host, int status) noexcept
    cdef void count_origin(self, Host host, bint success) noexcept
    cdef void count_failure(self, Host host, int word, uint64_t limit, str kind) noexcept
    cdef void tell(self, Host host, str kind) noexcept
