"""The connections of TCP proxies, from accept over connect to tunnel, and their end.

Until a host is connected nothing is read from the client: what it sends waits in the kernel, which bounds it. Then the
two connections are a tunnel like that of an upgrade; `is_relay` tells them apart where they begin and end.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from fastproxy.access_log cimport AccessLog, LogFacts
from fastproxy.addresses cimport format_address
from fastproxy.circuit_breakers cimport PRIORITY_DEFAULT
from fastproxy.connections cimport (
    CLOSED, CONNECTING, HUNG_UP, LINGERING, READABLE, SLAB, TCP_DOWNSTREAM, TCP_UPSTREAM, UPSTREAM, Connection,
)
from fastproxy.counters cimport (
    cluster_upstream_cx_connect_attempts_exceeded, cluster_upstream_cx_connect_fail,
    cluster_upstream_cx_connect_timeout, cluster_upstream_cx_none_healthy, cluster_upstream_cx_overflow,
    cluster_upstream_rq_active,
    cluster_upstream_rq_total, host_cx_connect_fail, host_rq_active, host_rq_total, listener_downstream_cx_active,
    listener_downstream_cx_destroy, listener_downstream_cx_total, tcp_downstream_cx_active,
    tcp_downstream_cx_no_route, tcp_downstream_cx_total, tcp_idle_timeout, tcp_max_downstream_connection_duration,
)
from fastproxy.exchange.log cimport set_host
from fastproxy.exchange.state cimport set_exchange
from fastproxy.pools cimport is_at_limit
from fastproxy.response_flags cimport FLAG_DC, FLAG_DT, FLAG_LR, FLAG_NR, FLAG_UF, FLAG_UH, FLAG_UO, FLAG_URX
from fastproxy.syscalls cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP
from fastproxy.tunnel cimport TUNNEL_GOES_ON, TUNNEL_SILENT, TunnelState, tunnel_timer
from fastproxy.upstream cimport Host


cdef class PendingRelay:
    """A client of a TCP proxy for which no host is connected yet."""


cdef inline PendingRelay pending_of(Connection *c):
    return <PendingRelay> c.exchange


cdef class Relay(Shedding):
    """Accepts for TCP proxies, connects, and ends what became of it."""

    cdef int relay_accepted(self, Connection *c, TcpProxy proxy) except -1:
        """A client has connected to a TCP proxy: choose a cluster and a host, and begin to connect."""
        cdef PendingRelay pending = PendingRelay.__new__(PendingRelay)
        c.kind = TCP_DOWNSTREAM
        Py_INCREF(proxy)
        c.owner = <PyObject *> proxy
        c.counters = proxy.counters
        c.counters[<int> tcp_downstream_cx_total] += 1
        c.counters[<int> tcp_downstream_cx_active] += 1
        proxy.listener_counters[<int> listener_downstream_cx_total] += 1
        proxy.listener_counters[<int> listener_downstream_cx_active] += 1
        set_exchange(c, pending)
        pending.start_ms = self.io.now_ms
        self.io.set_timer(c, proxy.max_duration_ms)
        if not self.admits(c, proxy.gate):
            self.turn_relay_away(c, proxy)
            return 0
        pending.cluster = proxy.choose_cluster(c.fd, &c.address, self.stamps.random())
        if pending.cluster is None:
            c.counters[<int> tcp_downstream_cx_no_route] += 1
            self.end_pending(c, FLAG_NR)
            return 0
        pending.has_hash = proxy.hash(&c.address, &pending.hash)
        pending.choice = pending.cluster.balancer.choose(pending.hash, pending.has_hash)
        if pending.choice < 0:
            pending.cluster.counters[<int> cluster_upstream_cx_none_healthy] += 1
            self.end_pending(c, FLAG_UH)
            return 0
        pending.host = <Host> pending.cluster.hosts[pending.choice]
        self.connect_relay(c, pending)

    cdef int turn_relay_away(self, Connection *c, TcpProxy proxy) except -1:
        """The connection is one too many: close it, at once or after a delay."""
        if proxy.gate.delay_ms == 0:
            self.end_pending(c, 0)
            return 0
        c.flags |= LINGERING
        self.io.set_timer(c, proxy.gate.delay_ms)

    cdef int connect_relay(self, Connection *c, PendingRelay pending) except -1:
        """Begin to connect to the chosen host, or to the next ones where not even that is possible."""
        cdef Connection *u
        cdef Host host
        while True:
            host = pending.host
            pending.attempts += 1
            if is_at_limit(host, PRIORITY_DEFAULT):
                host.cluster.counters[<int> cluster_upstream_cx_overflow] += 1
                self.end_pending(c, FLAG_UO)
                return 0
            u = self.connect(host, PRIORITY_DEFAULT)
            if u != NULL:
                break
            host.cluster.counters[<int> cluster_upstream_cx_connect_fail] += 1
            host.counters[<int> host_cx_connect_fail] += 1
            if not self.lacks_descriptor:
                self.watch.origin_failed(host, 503)
            if not self.next_relay_host(pending, <TcpProxy> c.owner):
                self.end_pending(c, FLAG_UF | FLAG_URX)
                return 0
        u.kind = TCP_UPSTREAM
        u.flags |= CONNECTING
        u.peer = c
        c.peer = u
        host.counters[<int> host_rq_active] += 1
        host.counters[<int> host_rq_total] += 1
        u.counters[<int> cluster_upstream_rq_total] += 1
        u.counters[<int> cluster_upstream_rq_active] += 1
        self.io.set_timer(u, host.cluster.connect_timeout_ms)

    cdef bint next_relay_host(self, PendingRelay pending, TcpProxy proxy):
        """Go on to another host, or to the first one again where there is no other; False after the last attempt."""
        cdef Cluster cluster = pending.cluster
        if pending.attempts >= proxy.max_connect_attempts:
            cluster.counters[<int> cluster_upstream_cx_connect_attempts_exceeded] += 1
            return False
        if pending.tried is None or pending.host not in cluster.hosts:
            pending.tried = set()
        if pending.host in cluster.hosts:
            pending.tried.add(cluster.hosts.index(pending.host))
        pending.choice = cluster.balancer.choose_other(pending.hash, pending.has_hash, pending.choice, pending.tried)
        if pending.choice < 0:
            pending.tried = None
            pending.choice = cluster.balancer.choose(pending.hash, pending.has_hash)
        if pending.choice < 0:
            return False
        pending.host = <Host> cluster.hosts[pending.choice]
        return True

    cdef int relay_event(self, Connection *connection, uint32_t events) except -1:
        """Something has happened to one of the two connections before there is a tunnel."""
        if connection.kind == TCP_DOWNSTREAM:
            if events & (EPOLLIN | EPOLLRDHUP):
                connection.flags |= READABLE
            if events & EPOLLRDHUP:
                connection.flags |= HUNG_UP
            if events & (EPOLLHUP | EPOLLERR):
                self.end_pending(connection, FLAG_DC)
        elif events & (EPOLLHUP | EPOLLERR):
            self.relay_connect_failed(connection)
        elif events & EPOLLOUT:
            self.relay_connected(connection, events)

    cdef int relay_connect_failed(self, Connection *u) except -1:
        cdef Connection *c = u.peer
        cdef PendingRelay pending = pending_of(c)
        cdef Host host = pending.host
        host.cluster.counters[<int> cluster_upstream_cx_connect_fail] += 1
        host.counters[<int> host_cx_connect_fail] += 1
        self.watch.origin_failed(host, 503)
        c.peer = NULL
        self.drop_relay_upstream(u)
        if self.next_relay_host(pending, <TcpProxy> c.owner):
            self.connect_relay(c, pending)
        else:
            self.end_pending(c, FLAG_UF | FLAG_URX)

    cdef int relay_connected(self, Connection *u, uint32_t events) except -1:
        """The host is there: from here bytes go both ways."""
        cdef Connection *c = u.peer
        cdef TcpProxy proxy = <TcpProxy> c.owner
        cdef PendingRelay pending = pending_of(c)
        cdef uint64_t age_ms = self.io.now_ms - pending.start_ms
        cdef Tunnel *tunnel = <Tunnel *> calloc(1, sizeof(Tunnel))
        if tunnel == NULL:
            self.end_pending(c, FLAG_LR)
            return 0
        self.watch.connected_finally(<Host> u.owner)
        tunnel.downstream = c
        tunnel.upstream = u
        tunnel.host_counters = (<Host> u.owner).counters
        tunnel.start_ms = pending.start_ms
        tunnel.idle_timeout_ms = proxy.idle_timeout_ms
        tunnel.is_relay = True
        set_exchange(c, None)
        u.kind = UPSTREAM
        u.flags = (u.flags & ~CONNECTING) | READABLE
        if events & EPOLLRDHUP:
            u.flags |= HUNG_UP
        c.tunnel = u.tunnel = tunnel
        self.tunnels += 1
        self.io.set_timer(c, tunnel.idle_timeout_ms)
        self.io.set_timer(u, 0)
        if proxy.max_duration_ms:
            self.io.set_timer(u, proxy.max_duration_ms - age_ms if age_ms < proxy.max_duration_ms else 1)
        self.io.enqueue(c)
        self.io.enqueue(u)

    cdef int relay_timer(self, Connection *connection) except -1:
        """Which limit it was follows from whose timer it is, and whether there is a tunnel."""
        cdef Tunnel *tunnel = <Tunnel *> connection.tunnel
        cdef TunnelState state
        if tunnel != NULL and connection == tunnel.downstream:
            state = tunnel_timer(self.io, tunnel)
            if state == TUNNEL_GOES_ON:
                return 0
            if state == TUNNEL_SILENT:
                connection.counters[<int> tcp_idle_timeout] += 1
            self.end_relay(tunnel, 0)
        elif tunnel != NULL:
            tunnel.downstream.counters[<int> tcp_max_downstream_connection_duration] += 1
            self.end_relay(tunnel, FLAG_DT)
        elif connection.flags & LINGERING:
            self.end_pending(connection, 0)
        elif connection.kind == TCP_UPSTREAM:
            connection.counters[<int> cluster_upstream_cx_connect_timeout] += 1
            self.relay_connect_failed(connection)
        else:
            connection.counters[<int> tcp_max_downstream_connection_duration] += 1
            self.end_pending(connection, FLAG_DT)

    cdef int end_pending(self, Connection *c, uint64_t flags) except -1:
        """Log and close a client for which there is no host yet."""
        cdef Connection *u = c.peer
        cdef PendingRelay pending = pending_of(c)
        cdef Tunnel facts
        memset(&facts, 0, sizeof(facts))
        facts.start_ms = pending.start_ms
        self.log_relay(c, pending.host, &facts, flags)
        c.peer = NULL
        if u != NULL:
            self.drop_relay_upstream(u)
        self.close_relay(c)

    cdef int end_relay(self, Tunnel *tunnel, uint64_t flags) except -1:
        """Count, log and close both ends of a tunnel."""
        cdef Connection *c = tunnel.downstream
        cdef Connection *u = tunnel.upstream
        c.tunnel = u.tunnel = NULL
        self.tunnels -= 1
        self.log_relay(c, <Host> u.owner, tunnel, flags)
        free(tunnel)
        self.drop_relay_upstream(u)
        self.close_relay(c)

    cdef int close_relays_to(self, set hosts) except -1:
        """End the tunnels of TCP proxies to these hosts. It looks at every connection: hosts seldom fail."""
        cdef Connection *u
        cdef size_t slab
        cdef int i
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                u = <Connection *> self.io.slabs[slab] + i
                if u.kind == UPSTREAM and u.tunnel != NULL and (<Tunnel *> u.tunnel).is_relay \
                        and <Host> u.owner in hosts:
                    self.end_relay(<Tunnel *> u.tunnel, 0)
        return 0

    cdef int drop_relay_upstream(self, Connection *u) except -1:
        cdef Host host = <Host> u.owner
        u.kind = UPSTREAM
        host.counters[<int> host_rq_active] -= 1
        u.counters[<int> cluster_upstream_rq_active] -= 1
        self.close_upstream(u)

    cdef int close_relay(self, Connection *c) except -1:
        cdef TcpProxy proxy = <TcpProxy> c.owner
        c.counters[<int> tcp_downstream_cx_active] -= 1
        proxy.listener_counters[<int> listener_downstream_cx_active] -= 1
        proxy.listener_counters[<int> listener_downstream_cx_destroy] += 1
        if c.is_gated:
            self.leaves(c, proxy.gate)
        self.io.close(c)

    cdef int discard_relay(self, Connection *connection) except -1:
        """End a connection that has no tunnel, and its other side, at once."""
        if connection.kind == TCP_UPSTREAM:
            connection = connection.peer
        if connection.kind != CLOSED:
            self.end_pending(connection, FLAG_LR)

    cdef int log_relay(self, Connection *c, Host host, Tunnel *facts_of, uint64_t flags) except -1:
        """A line for every access log of the TCP proxy; `facts_of` has the times and the bytes."""
        cdef AccessLog log
        cdef LogFacts facts
        cdef TcpProxy proxy = <TcpProxy> c.owner
        cdef char address[64]
        cdef uint64_t elapsed_ms = self.io.now_ms - facts_of.start_ms
        if not proxy.access_logs:
            return 0
        memset(&facts, 0, sizeof(facts))
        facts.downstream_remote_address.data = address
        facts.downstream_remote_address.length = format_address(&c.address, address, sizeof(address))
        facts.downstream_direct_remote_address = facts.downstream_remote_address
        facts.start_us = self.stamps.epoch_us(self.io.now_ms) - <int64_t> elapsed_ms * 1000
        facts.duration_us = elapsed_ms * 1000
        facts.request_duration_us = facts.response_duration_us = -1
        facts.bytes_received = facts_of.bytes_received
        facts.bytes_sent = facts_of.bytes_sent
        facts.flags = flags
        if host is not None:
            set_host(&facts, host)
        for log in proxy.access_logs:
            log.write(NULL, &facts)
