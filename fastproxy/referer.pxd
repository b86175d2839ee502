"""Which Referer values are kept."""

from fastproxy.http1 cimport Head


cdef void check_referer(Head *head) except *
cdef bint is_referer(const char *data, size_t length) noexcept nogil
