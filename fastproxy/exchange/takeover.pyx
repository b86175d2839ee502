"""Connections that stand go on under another configuration.

An exchange under way keeps the manager, route and host that it began with. Whatever else a connection belongs to is
replaced by its counterpart, so that nothing of the old configuration is held for longer than something uses it:
a downstream connection between two requests gets the manager of its listener, a kept upstream connection the host with
its address, a tunnel both where it is counted and logged as before.
"""

from libc.stdlib cimport realloc

from fastproxy.circuit_breakers cimport Priority
from fastproxy.connections cimport (
    CLOSE_WHEN_FLUSHED, DOWNSTREAM, IDLE, LEAVING, LINGERING, SLAB, UPSTREAM, Connection,
)
from fastproxy.exchange.state cimport Exchange, exchange_of
from fastproxy.mutation cimport Mutation
from fastproxy.pools cimport add_pending, any_idle, forget_idle, keep_idle, remove_pending, set_owner
from fastproxy.runtime cimport Manager, Runtime
from fastproxy.upstream cimport Cluster, Host

cdef enum:
    FIELDS_ADDED_BYTES = 16384  # what a head may grow by on its way through


cdef int enlarge(char **text, size_t size) except -1:
    cdef char *larger = <char *> realloc(text[0], size)
    if larger == NULL:
        raise MemoryError
    text[0] = larger
    return 0


cdef class Takeover(Request):
    """Replaces the configuration."""

    cdef int make_room(self, Runtime runtime) except -1:
        """Have room for the heads that the runtime allows. Not while a head is being written."""
        cdef size_t size = runtime.max_head_bytes + FIELDS_ADDED_BYTES
        if size > <size_t> (self.writer.end - self.writer.start):
            enlarge(&self.writer.start, size)
            self.writer.end = self.writer.start + size
            enlarge(&self.room.text, size)
            self.room.size = size
        self.mutation = Mutation(self.stamps, runtime.max_head_bytes)
        return 0

    cdef int take_over(self, Runtime runtime) except -1:
        """Use `runtime`, which was made `next` to the one in use, from the next request on."""
        cdef Connection *c
        cdef Host host
        cdef size_t slab
        cdef int i
        cdef dict successors = {}
        self.make_room(runtime)
        for host in runtime.take_over(self.runtime):
            while any_idle(host) != NULL:
                self.close_upstream(any_idle(host))
        self.runtime = runtime
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                c = <Connection *> self.io.slabs[slab] + i
                if c.kind == DOWNSTREAM:
                    self.follow_downstream(c)
                    self.follow_pending(exchange_of(c))
                elif c.kind == UPSTREAM and (c.flags & IDLE or c.tunnel != NULL):
                    self.follow_upstream(c, successors)
        return 0

    cdef int follow_downstream(self, Connection *c) except -1:
        cdef Manager manager = <Manager> c.owner
        cdef Manager newest
        if not manager.superseded:
            return 0
        newest = manager.newest()
        if c.tunnel != NULL:
            if newest.continues(manager):
                set_owner(c, newest)
        elif exchange_of(c) is None:
            self.move_to(c, newest)
        if newest.superseded:
            self.dismiss(c, newest)
        elif exchange_of(c) is None and c.tunnel == NULL:
            if newest.idle_timeout_ms != manager.idle_timeout_ms and c.exchange == NULL \
                    and not c.flags & (CLOSE_WHEN_FLUSHED | LEAVING | LINGERING):
                self.set_idle_timer(c, newest)

    cdef int follow_pending(self, Exchange x) except -1:
        """Have a request that waits for a host that was replaced, and those with it, wait for the host in use."""
        cdef Host host, successor
        cdef Connection *client
        cdef Priority priority
        if x is None or not x.is_pending or not x.host.removed:
            return 0
        host, priority = x.host, x.route.priority
        successor = self.successor_of(host)
        if successor is None:
            return 0
        while host.first_pending[<int> priority] != NULL:
            client = host.first_pending[<int> priority]
            remove_pending(client, host, priority)
            exchange_of(client).host = successor
            self.follow_cluster(exchange_of(client))
            add_pending(client, successor, priority, False)
        self.take_turn(successor)

    cdef int follow_upstream(self, Connection *u, dict successors) except -1:
        """`successors` are those of the hosts that were met already."""
        cdef Host host = <Host> u.owner
        cdef Host successor
        if host.cluster.shell is not None:
            host.cluster = host.cluster.shell
        if not host.removed:
            return 0
        if host not in successors:
            successors[host] = self.successor_of(host)
        successor = successors[host]
        if u.flags & IDLE:
            forget_idle(u, host)
            if successor is None:
                self.close_upstream(u)
                return 0
            set_owner(u, successor)
            keep_idle(self.io, u, successor)
        elif successor is not None:
            set_owner(u, successor)

    cdef Host successor_of(self, Host host):
        """The host in use that has the address and the counters of one that was removed."""
        cdef Cluster cluster = self.runtime.clusters.get(host.cluster.model.name)
        cdef Host other
        if cluster is not None:
            for other in cluster.hosts:
                if other.address == host.address and other.counters == host.counters:
                    return other
        return None
