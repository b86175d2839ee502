"""Whether somebody who reads slowly still reads.

What a peer has not taken waits in our `out` and then in the kernel, which says how much it is (SIOCOUTQ of tcp(7)): all
that is not acknowledged yet, the end of our direction included. So a timer that has expired can tell a reader that is
slow from one that is gone: it looks, and looks again a period later. Sending costs one store for it.
"""

from libc.stdint cimport UINT32_MAX, uint32_t
from libc.string cimport memset

from fastproxy.syscalls cimport SIOCOUTQ, ioctl


cdef size_t untaken(const Connection *connection) noexcept nogil:
    """How many bytes wait for the peer."""
    cdef int unacknowledged = 0
    cdef size_t held = 0 if connection.out == NULL else connection.out.end - connection.out.start
    if ioctl(connection.fd, SIOCOUTQ, &unacknowledged) < 0 or unacknowledged < 0:
        return held
    return held + <size_t> unacknowledged


cdef void look(Connection *connection) noexcept nogil:
    """Remember how much waits now."""
    connection.untaken_bytes = <uint32_t> min(untaken(connection), <size_t> UINT32_MAX)


cdef bint is_taking(Connection *connection, uint64_t period_ms) noexcept nogil:
    """Look again, `period_ms` after the last look: has the peer taken all that waited, or enough for that time?

    Where nobody has looked since something was sent, it cannot be known: who has not taken all has another period.
    """
    cdef uint64_t before = connection.untaken_bytes
    cdef uint64_t enough = max(<uint64_t> 1, period_ms * MIN_TAKEN_BYTES_PER_S // 1000)
    look(connection)
    if before == 0:
        return connection.untaken_bytes > 0
    return connection.untaken_bytes == 0 or connection.untaken_bytes + enough <= before


def looks(fd, period_ms, steps):
    """What a look at a socket says, and how many bytes wait for its peer then: at first, and after each of `steps`."""
    cdef Connection connection
    memset(&connection, 0, sizeof(connection))
    connection.fd = fd
    look(&connection)
    found = []
    for _ in steps:
        found.append((bool(is_taking(&connection, period_ms)), int(connection.untaken_bytes)))
    return found
