"""The connections of a worker to each host: opened, kept, waited for.

A host has a pool for each priority: idle connections, the one used last first, and a queue of clients whose requests
found neither one of them nor room for another.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport uint64_t

from fastproxy.addresses cimport read_address
from fastproxy.connections cimport IDLE, REUSED, UPSTREAM
from fastproxy.counters cimport (
    cluster_high_cx_active, cluster_high_rq_pending_active, cluster_upstream_cx_active,
    cluster_upstream_cx_http1_total, cluster_upstream_cx_total, cluster_upstream_rq_pending_active, host_cx_active,
    host_cx_total, host_high_cx_active, host_rq_pending_active,
)
from fastproxy.syscalls cimport (
    EINPROGRESS, EPOLLET, EPOLLIN, EPOLLOUT, EPOLLRDHUP, IPPROTO_TCP, SO_KEEPALIVE, SOCK_CLOEXEC, SOCK_NONBLOCK,
    SOCK_STREAM, SOL_SOCKET, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_NODELAY, connect, errno, setsockopt,
    sockaddr, socket,
)
from fastproxy.syscalls cimport close as close_fd
from fastproxy.upstream cimport Keepalive


cdef void set_owner(Connection *connection, object owner) noexcept:
    """Have the connection own another Host or Manager."""
    cdef PyObject *old = connection.owner
    Py_INCREF(owner)
    connection.owner = <PyObject *> owner
    Py_XDECREF(old)


# hot

cdef Connection *take_idle(Host host, Priority priority) noexcept:
    """The kept connection that was used last; NULL when there is none."""
    cdef Connection *connection = host.idle[<int> priority]
    if connection != NULL:
        forget_idle(connection, host)
    return connection


cdef void keep_idle(Connections connections, Connection *connection, Host host) noexcept:
    """Keep a connection for a later exchange with its host, not beyond `leaves_ms` if that is set. Who waits for one is
    given a turn."""
    cdef uint64_t delay_ms = host.cluster.idle_timeout_ms
    cdef int priority = <int> priority_of(connection)
    connection.flags |= IDLE | REUSED
    connection.peer = NULL
    connection.previous = NULL
    connection.next = host.idle[priority]
    if connection.next != NULL:
        connection.next.previous = connection
    host.idle[priority] = connection
    if connection.leaves_ms and (delay_ms == 0 or connection.leaves_ms < connections.now_ms + delay_ms):
        delay_ms = max(connection.leaves_ms, connections.now_ms + 1) - connections.now_ms
    connections.set_timer(connection, delay_ms)
    if host.first_pending[priority] != NULL:
        connections.enqueue(host.first_pending[priority])


cdef void forget_idle(Connection *connection, Host host) noexcept:
    """Take a connection out of its host's pool."""
    if connection.previous != NULL:
        connection.previous.next = connection.next
    else:
        host.idle[<int> priority_of(connection)] = connection.next
    if connection.next != NULL:
        connection.next.previous = connection.previous
    connection.next = connection.previous = NULL
    connection.flags &= ~IDLE


# end hot


cdef Connection *any_idle(Host host) noexcept:
    """A kept connection of either priority; NULL when there is none."""
    return host.idle[<int> PRIORITY_DEFAULT] if host.idle[<int> PRIORITY_DEFAULT] != NULL \
        else host.idle[<int> PRIORITY_HIGH]


cdef bint is_at_limit(Host host, Priority priority) noexcept:
    """Whether there are as many connections to the host or its cluster as the circuit breakers allow."""
    return not host.cluster.breakers.admits_connection(host.counters - host.cluster.counters, priority)


cdef bint has_none(Host host, Priority priority) noexcept:
    """Whether this worker has no connection of that priority to the host. As in Envoy it may have one in any case: its
    requests would wait for nothing."""
    cdef uint64_t high = host.counters[<int> host_high_cx_active]
    return (high if priority == PRIORITY_HIGH else host.counters[<int> host_cx_active] - high) == 0


cdef bint has_room(Host host, Priority priority) noexcept:
    """Whether one more connection to the host may be opened."""
    return has_none(host, priority) or not is_at_limit(host, priority)


cdef void add_pending(Connection *client, Host host, Priority priority, bint comes_first) noexcept:
    """Have a client's request wait for a connection to the host, behind the others or before them."""
    cdef Connection **first = &host.first_pending[<int> priority]
    cdef Connection **last = &host.last_pending[<int> priority]
    client.previous = NULL if comes_first else last[0]
    client.next = first[0] if comes_first else NULL
    if client.previous != NULL:
        client.previous.next = client
    else:
        first[0] = client
    if client.next != NULL:
        client.next.previous = client
    else:
        last[0] = client
    count_pending(host, priority, 1)


cdef void remove_pending(Connection *client, Host host, Priority priority) noexcept:
    """The client's request does not wait any more."""
    if client.previous != NULL:
        client.previous.next = client.next
    else:
        host.first_pending[<int> priority] = client.next
    if client.next != NULL:
        client.next.previous = client.previous
    else:
        host.last_pending[<int> priority] = client.previous
    client.next = client.previous = NULL
    count_pending(host, priority, -1)


cdef void count_pending(Host host, Priority priority, int step) noexcept:
    """A request more (1) or less (-1) has no connection yet, or one that is being opened."""
    host.counters[<int> host_rq_pending_active] += <uint64_t> step
    host.cluster.counters[<int> cluster_upstream_rq_pending_active] += <uint64_t> step
    if priority == PRIORITY_HIGH:
        host.cluster.counters[<int> cluster_high_rq_pending_active] += <uint64_t> step


cdef void forget_connection(Connection *connection, Host host) noexcept:
    """A connection to the host is about to be closed."""
    if connection.flags & IDLE:
        forget_idle(connection, host)
    host.counters[<int> host_cx_active] -= 1
    connection.counters[<int> cluster_upstream_cx_active] -= 1
    if connection.flags & HIGH_PRIORITY:
        host.counters[<int> host_high_cx_active] -= 1
        connection.counters[<int> cluster_high_cx_active] -= 1

cdef void probe(int fd, const Keepalive *wanted) noexcept nogil:
    """Have the kernel ask a silent peer whether it is there."""
    cdef int on = 1
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on))
    if wanted.probes:
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &wanted.probes, sizeof(int))
    if wanted.time_s:
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &wanted.time_s, sizeof(int))
    if wanted.interval_s:
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &wanted.interval_s, sizeof(int))


cdef Connection *connect_to(Connections connections, Host host, Priority priority) noexcept:
    """Begin to connect; NULL with errno set when not even that was possible. CONNECTING is for the caller to set."""
    cdef int fd, on = 1
    cdef Connection *connection
    fd = socket(host.socket_address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    if fd < 0:
        return NULL
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))
    if host.cluster.keepalive.is_on:
        probe(fd, &host.cluster.keepalive)
    if connect(fd, <sockaddr *> &host.socket_address, host.socket_address_length) < 0 and errno != EINPROGRESS:
        close_fd(fd)
        return NULL
    connection = connections.adopt(fd, UPSTREAM, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
    if connection == NULL:
        return NULL
    connection.owner = <PyObject *> host
    Py_INCREF(host)
    connection.read_limit = host.cluster.read_limit
    if host.cluster.max_connection_duration_ms:
        connection.ends_ms = connections.now_ms + host.cluster.max_connection_duration_ms
    connection.counters = host.cluster.counters
    read_address(&connection.address, &host.socket_address)
    host.counters[<int> host_cx_total] += 1
    host.counters[<int> host_cx_active] += 1
    connection.counters[<int> cluster_upstream_cx_total] += 1
    connection.counters[<int> cluster_upstream_cx_http1_total] += 1
    connection.counters[<int> cluster_upstream_cx_active] += 1
    if priority == PRIORITY_HIGH:
        connection.flags |= HIGH_PRIORITY
        host.counters[<int> host_high_cx_active] += 1
        connection.counters[<int> cluster_high_cx_active] += 1
    return connection
