"""Copies of requests for other clusters, whose answers nobody sees (Envoy: request_mirror_policies).

A copy is sent when its request is complete, on a connection of its own that closes with the answer: what comes back is
read and thrown away, uninterpreted. A request does not wait for its copies and does not fail with them; one that is
larger than MIRROR_BYTES is not copied, and handshakes are not. Where descriptors are scarce no copy has one.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free

from fastproxy.circuit_breakers cimport PRIORITY_DEFAULT, REQUESTS
from fastproxy.connections cimport (
    CLOSED, CONNECTING, HUNG_UP, MIRROR, READABLE, Connection, buffer_append,
)
from fastproxy.counters cimport (
    cluster_upstream_cx_connect_fail, cluster_upstream_cx_tx_bytes_total, cluster_upstream_rq_active,
    cluster_upstream_rq_completed, cluster_upstream_rq_mirror_dropped, cluster_upstream_rq_pending_overflow,
    cluster_upstream_rq_total, host_rq_active, host_rq_total,
)
from fastproxy.exchange.state cimport Exchange
from fastproxy.heads cimport RequestHead, put, write_request
from fastproxy.pools cimport connect_to, has_room
from fastproxy.request_facts cimport RequestFacts
from fastproxy.routing cimport Mirror
from fastproxy.slices cimport Slice
from fastproxy.syscalls cimport EMFILE, ENFILE, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, errno, iovec
from fastproxy.upstream cimport Cluster, Host

cdef enum:
    MIRROR_BYTES = 65536  # of one request with its body, for each cluster that gets a copy
    MIRROR_TIMEOUT_MS = 15000  # for a copy to be sent and answered; Envoy's default for a route
    READS = 64  # full read buffers of an answer at a time; one that comes faster ends
    WHOLE = 1000000  # model_routes.WHOLE: of a share


cdef class MirroredRequest:
    """A request on its way to be copied."""

    def __dealloc__(self):
        free(self.copy)


cdef class Mirroring(Limiting):
    """Sends requests to other clusters as well."""

    cdef int begin_mirrors(self, Exchange x, const RequestFacts *facts, RequestHead *plan) except -1:
        """Begin a copy for each mirror of the route; the head of the request itself was written already."""
        cdef Mirror mirror
        if x.is_upgrade:
            return 0
        x.mirrored = [
            self.copy_head(x, mirror, plan) for mirror in x.route.mirrors if facts.random % WHOLE < mirror.share]

    cdef MirroredRequest copy_head(self, Exchange x, Mirror mirror, RequestHead *plan):
        cdef MirroredRequest mirrored = MirroredRequest.__new__(MirroredRequest)
        cdef RequestHead other = plan[0]
        cdef char *start = self.writer.at
        cdef bytes host = plan.authority.data[:plan.authority.length]
        if mirror.host_rewrite is not None:
            host = mirror.host_rewrite
        elif mirror.appends_shadow:
            host = with_shadow(host)
        other.authority = Slice(host, len(host))
        mirrored.mirror = mirror
        write_request(&self.writer, &self.head, &other)
        self.writer.at -= 2  # the empty line
        put(&self.writer, b"connection: close\r\n\r\n", 21)
        if not self.writer.overflow:
            mirrored.copy = buffer_append(NULL, start, self.writer.at - start)
        self.writer.at = start
        self.writer.overflow = False
        return mirrored

    cdef int mirror_body(self, Exchange x, iovec *parts, int count) except -1:
        """Keep these pieces of the request's body for its copies; send them when the request is complete."""
        cdef MirroredRequest mirrored
        cdef int i
        for mirrored in x.mirrored:
            for i in range(count):
                if mirrored.copy != NULL and \
                        mirrored.copy.end - mirrored.copy.start + parts[i].iov_len > MIRROR_BYTES:
                    free(mirrored.copy)
                    mirrored.copy = NULL
                if mirrored.copy != NULL:
                    mirrored.copy = buffer_append(mirrored.copy, <char *> parts[i].iov_base, parts[i].iov_len)
        if x.request_body.done:
            for mirrored in x.mirrored:
                self.send_mirror(x, mirrored)
            x.mirrored = None

    cdef int send_mirror(self, Exchange x, MirroredRequest mirrored) except -1:
        cdef Cluster cluster = mirrored.mirror.cluster
        cdef Py_ssize_t chosen = -1
        cdef Host host
        cdef Connection *u
        # where descriptors are scarce, those that are left are for what somebody waits for
        if mirrored.copy != NULL and self.io.open_count < self.overload.scarce_at:
            chosen = cluster.balancer.choose(x.hash, x.has_hash)
        if chosen < 0:
            cluster.counters[<int> cluster_upstream_rq_mirror_dropped] += 1
            return 0
        host = <Host> cluster.hosts[chosen]
        if not cluster.breakers.admits(REQUESTS, PRIORITY_DEFAULT) or not has_room(host, PRIORITY_DEFAULT):
            cluster.counters[<int> cluster_upstream_rq_pending_overflow] += 1
            cluster.counters[<int> cluster_upstream_rq_mirror_dropped] += 1
            return 0
        u = connect_to(self.io, host, PRIORITY_DEFAULT)
        if u == NULL:
            if errno != EMFILE and errno != ENFILE:
                cluster.counters[<int> cluster_upstream_cx_connect_fail] += 1
            cluster.counters[<int> cluster_upstream_rq_mirror_dropped] += 1
            return 0
        u.flags |= MIRROR | CONNECTING
        u.out = mirrored.copy
        mirrored.copy = NULL
        self.io.set_timer(u, min(cluster.connect_timeout_ms, <uint64_t> MIRROR_TIMEOUT_MS))
        host.counters[<int> host_rq_active] += 1
        host.counters[<int> host_rq_total] += 1
        u.counters[<int> cluster_upstream_rq_total] += 1
        u.counters[<int> cluster_upstream_rq_active] += 1

    cdef int upstream_event(self, Connection *u, uint32_t events) except -1:
        if u.flags & MIRROR:
            self.mirror_event(u, events)
        else:
            Limiting.upstream_event(self, u, events)

    cdef int mirror_event(self, Connection *u, uint32_t events) except -1:
        """The kernel has told of a connection that carries a copy: send what is left, drop what comes."""
        cdef size_t left
        cdef ssize_t got
        cdef int reads = 0
        if events & EPOLLOUT and u.flags & CONNECTING and not events & (EPOLLERR | EPOLLHUP):
            u.flags &= ~CONNECTING
            self.io.set_timer(u, MIRROR_TIMEOUT_MS)
        if events & EPOLLOUT and u.out != NULL and not u.flags & CONNECTING:
            left = u.out.end - u.out.start
            if self.io.flush(u) < 0:
                self.end_mirror(u)
                return 0
            u.counters[<int> cluster_upstream_cx_tx_bytes_total] += left - (u.out.end - u.out.start if u.out else 0)
        if events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR):
            u.flags |= READABLE | (HUNG_UP if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) else 0)
        while u.flags & READABLE:
            got = self.io.receive(u)
            reads += 1
            if got < 0 or reads == READS:
                self.end_mirror(u)
                return 0

    cdef int end_mirror(self, Connection *u) except -1:
        """The copy is answered, or given up."""
        cdef Host host = <Host> u.owner
        if u.kind == CLOSED:
            return 0
        if u.flags & CONNECTING:
            u.counters[<int> cluster_upstream_cx_connect_fail] += 1
            u.counters[<int> cluster_upstream_rq_mirror_dropped] += 1
        host.counters[<int> host_rq_active] -= 1
        u.counters[<int> cluster_upstream_rq_active] -= 1
        u.counters[<int> cluster_upstream_rq_completed] += 1
        self.close_upstream(u)


cdef bytes with_shadow(bytes host):
    """`-shadow` behind the host's name, before its port."""
    name, colon, port = host.rpartition(b":")
    if colon and port.isdigit():
        return name + b"-shadow:" + port
    return host + b"-shadow"
