"""Whether somebody who reads slowly still reads."""

from libc.stdint cimport uint64_t

from fastproxy.connections cimport Connection

cdef enum:
    MIN_TAKEN_BYTES_PER_S = 256  # who takes less than this of what waits for it takes nothing


cdef size_t untaken(const Connection *connection) noexcept nogil
cdef void look(Connection *connection) noexcept nogil
cdef bint is_taking(Connection *connection, uint64_t period_ms) noexcept nogil
