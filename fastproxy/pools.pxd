"""The connections of a worker to each host: opened, kept, waited for."""

from fastproxy.circuit_breakers cimport PRIORITY_DEFAULT, PRIORITY_HIGH, Priority
from fastproxy.connections cimport HIGH_PRIORITY, Connection, Connections
from fastproxy.upstream cimport Host


cdef void set_owner(Connection *connection, object owner) noexcept
cdef inline Priority priority_of(Connection *connection) noexcept nogil:
    """Of an upstream connection."""
    return PRIORITY_HIGH if connection.flags & HIGH_PRIORITY else PRIORITY_DEFAULT


cdef Connection *take_idle(Host host, Priority priority) noexcept
cdef void keep_idle(Connections connections, Connection *connection, Host host) noexcept
cdef void forget_idle(Connection *connection, Host host) noexcept
cdef Connection *any_idle(Host host) noexcept
cdef bint is_at_limit(Host host, Priority priority) noexcept
cdef bint has_none(Host host, Priority priority) noexcept
cdef bint has_room(Host host, Priority priority) noexcept
cdef void add_pending(Connection *client, Host host, Priority priority, bint comes_first) noexcept
cdef void remove_pending(Connection *client, Host host, Priority priority) noexcept
cdef void count_pending(Host host, Priority priority, int step) noexcept
cdef Connection *connect_to(Connections connections, Host host, Priority priority) noexcept
cdef void forget_connection(Connection *connection, Host host) noexcept
