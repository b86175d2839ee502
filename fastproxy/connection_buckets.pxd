"""Token buckets that a downstream connection has for itself."""

from libc.stdint cimport uint32_t, uint64_t

from fastproxy.connections cimport Connection

cdef uint64_t *connection_buckets(Connection *c, uint64_t limit, uint32_t count, uint64_t draw) noexcept nogil
