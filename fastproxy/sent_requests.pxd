"""A request as it went out on a connection that had carried others before: for the case that its node closes it."""

from fastproxy.connections cimport Buffer, Connection
from fastproxy.syscalls cimport iovec

cdef enum:
    SENT_BYTES = 4096  # of a request with its body; a larger one is not kept


cdef bint has_sent(const Connection *u) noexcept nogil
cdef void keep_sent(Connection *u, const iovec *parts, int count, size_t total) noexcept nogil
cdef void keep_more_sent(Connection *u, const iovec *part) noexcept nogil
cdef void forget_sent(Connection *u) noexcept nogil
cdef void drop_sent(Connection *u) noexcept nogil
cdef Buffer *take_sent(Connection *u) noexcept nogil
cdef bint closed_unread(const Connection *u) noexcept nogil
cdef bint is_idempotent(const char *request, size_t length) noexcept nogil
