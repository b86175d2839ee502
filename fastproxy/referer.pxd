"""Which Referer values are kept."""

from fastproxy.http1 cimport Head


cdef int check_referer(Head *head) except -1
cdef bint is_referer(const char *data, size_t length) noexcept nogil
