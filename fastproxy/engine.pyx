"""The event loop of the data plane: one epoll per worker, watched by the worker's uvloop as a single descriptor.

An event names its connection by pointer. Handlers may close any connection; what is closed keeps its struct until the
batch is over, so that a later event of the batch finds it CLOSED. An exception in a handler is a defect: it is logged
and costs the one connection.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_REFCNT

import logging

from fastproxy.connections cimport CALLER, CLOCK, CLOSED, DOWNSTREAM, IDLE, LISTENER, UPSTREAM, Connection, Connections
from fastproxy.exchange.exchanges cimport Exchanges
from fastproxy.overload cimport Overload
from fastproxy.pools cimport any_idle, set_owner
from fastproxy.syscalls cimport (
    EPOLL_CTL_DEL, EPOLLIN, IPPROTO_TCP, TCP_NODELAY, dup, epoll_ctl, epoll_wait, errno, read, setsockopt,
)
from fastproxy.timers cimport Timer, timer_set, wheel_next_expired, wheel_turn
from fastproxy.upstream cimport Host

cdef enum:
    ROUNDS = 16  # batches in one call of pump
    TURN_MS = 20  # how long one call of work takes, so that the control plane has its turn
    LINGER_MS = 10  # how long it waits for events where some came so short a time ago
    LOG_HOLDERS = 2  # the list of what was left, and the one who looks at it
    TELL_EVERY_MS = 60000  # that descriptors are scarce


cdef class Engine(Accepting):
    """One worker's data plane. Watch `fileno()` for reading and call `work()` or `pump()` then."""

    def __init__(self, Runtime runtime, Overload overload=None):
        self.runtime = runtime
        self.io = Connections()
        self.overload = Overload() if overload is None else overload
        self.configure_overload()
        self.exchanges_ = Exchanges(self.io, runtime, self.overload)
        self.listeners = {}
        self.left_logs = []
        self.log = logging.getLogger("fastproxy.engine")

    def fileno(self) -> int:
        """The epoll descriptor; it becomes readable when there is something to do, timers included."""
        return self.io.epoll_fd

    def heed(self, fd: int) -> None:
        """Have `work` return at once when there is something to read from that descriptor, which stays the caller's to
        read and to close. OSError when it cannot be watched."""
        if self.io.heed(fd) < 0:
            raise OSError(errno, "cannot watch the caller's descriptor")

    @property
    def active(self) -> int:
        """Descriptors of downstream and upstream connections and listeners that are open."""
        return self.io.open_count

    @property
    def exchanges(self) -> int:
        """Exchanges under way; tunnels do not count. While it drains, also those that clients of sessions may still
        begin on connections that are kept for that."""
        return self.exchanges_.active or (self.exchanges_.expected() if self.exchanges_.draining else 0)

    @property
    def tunnels(self) -> int:
        return self.exchanges_.tunnels

    def listen(self, fd: int, listener_index: int, number: int | None = None) -> None:
        """Accept from a listening, non-blocking socket, which stays the caller's, for that listener.

        `number` is what `commit` calls the socket; without one, 0 is the first. OSError when it cannot be watched.
        """
        cdef int on = 1, own
        cdef Connection *listener
        owner = self.runtime.listeners[listener_index]
        own = dup(fd)
        setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))  # not of a Unix socket; what is accepted inherits it
        listener = self.io.adopt(own, LISTENER, EPOLLIN)
        if listener == NULL:
            raise OSError(errno, "cannot watch the listening socket")
        Py_INCREF(owner)
        listener.owner = <PyObject *> owner
        self.listeners[-len(self.listeners) if number is None else number] = <size_t> listener

    def configure_overload(self):
        runtime = self.runtime
        rows = [runtime.row] if runtime.rows is None else runtime.rows
        self.overload.configure(runtime.configuration, runtime.layout, rows, runtime.row)
        self.overload.measure(self.io.open_count)

    def stop_listening(self) -> None:
        """Accept nothing more; connections that stand go on."""
        for pointer in self.listeners.values():
            self.stop(<Connection *> <size_t> pointer)
        self.listeners = {}

    def prepare(self, configuration, layout) -> None:
        """Make another configuration ready, and go on with this one. Raises what making a Runtime raises."""
        self.pending = None
        self.pending = self.runtime.next(configuration, layout)

    def abandon(self) -> None:
        """Forget what was prepared."""
        self.pending = None

    def commit(self, listeners) -> None:
        """Use what was prepared. `listeners` says for the number of each socket which listener it is now; sockets that
        it does not name are for none: who waits there is still accepted."""
        cdef Connection *listener
        runtime, self.pending = self.pending, None
        for number in set(self.listeners) - set(listeners):
            listener = <Connection *> <size_t> self.listeners.pop(number)
            self.accept_waiting(listener.fd, <size_t> listener)
            self.stop(listener)
        self.left_logs += [log for model, log in self.runtime.open_logs.items() if model not in runtime.open_logs]
        self.exchanges_.take_over(runtime)
        self.runtime = runtime
        for name in runtime.clusters:
            self.drain_failing(name)
        self.configure_overload()
        for number, pointer in self.listeners.items():
            set_owner(<Connection *> <size_t> pointer, runtime.listeners[listeners[number]])
        if self.io.queue != NULL:
            self.wake()
        self.io.arm_timer_fd()

    cdef int stop(self, Connection *listener) except -1:
        # the socket lives on in other processes, so closing our descriptor alone would not end its events
        epoll_ctl(self.io.epoll_fd, EPOLL_CTL_DEL, listener.fd, NULL)
        self.io.close(listener)

    def drain(self) -> None:
        """Idle downstream connections close now, the others with the response at hand; tunnels stay."""
        self.exchanges_.drain()

    def set_hosts(self, cluster_name, hosts) -> None:
        """Have the cluster use these hosts (model.Host, IP addresses) from now on."""
        cdef Host host
        if cluster_name not in self.runtime.clusters:
            return
        for host in self.runtime.clusters[cluster_name].set_hosts(hosts):
            while any_idle(host) != NULL:
                self.exchanges_.close_upstream(any_idle(host))
        self.drain_failing(cluster_name)

    def set_health(self, cluster_name, found) -> None:
        """Something else is known of hosts of the cluster: HealthFlag bits by address."""
        if cluster_name in self.runtime.clusters:
            self.runtime.clusters[cluster_name].set_health(found)
            self.drain_failing(cluster_name)

    def drain_failing(self, cluster_name):
        """Use connections to hosts that have begun to fail no more: requests, WebSockets and TCP proxies go on with
        theirs, but for what close_connections_on_host_health_failure closes, the connections of TCP proxies."""
        cluster = self.runtime.clusters[cluster_name]
        failing = cluster.take_failing()
        if failing:
            self.exchanges_.drain_upstreams_to(failing)
            if cluster.closes_on_failure:
                self.exchanges_.close_relays_to(failing)

    def report_failures(self, report) -> None:
        """Have `report(cluster, address, kind)` called when a host fails too often (see `host_watch`)."""
        self.exchanges_.watch.report = report

    @property
    def access_logs(self):
        """All that may still be written to. One that the configuration has no longer goes with its last user."""
        self.left_logs = [log for log in self.left_logs if Py_REFCNT(log) > LOG_HOLDERS]
        return [*self.runtime.access_logs, *self.left_logs]

    def flush_logs(self) -> None:
        for log in self.access_logs:
            log.flush()

    def sweep(self) -> None:
        """What is to be done once a second: see Runtime.sweep."""
        self.io.update_clock()
        self.runtime.sweep(self.io.now_ms // 1000)
        self.overload.shrink()
        if self.overload.reduces_timeouts():
            self.exchanges_.reduce_timeouts()
            self.io.arm_timer_fd()
        if not self.is_measured:  # a second after the start the worker has opened all that it opens
            self.is_measured = True
            self.overload.measure(self.io.open_count)
        self.tell_of_descriptors()

    def tell_of_descriptors(self):
        """Say that there are too few, once in TELL_EVERY_MS at most."""
        closed, pauses = self.exchanges_.idle_closed - self.told_idle_closed, self.pauses - self.told_pauses
        if not closed and not pauses or self.io.now_ms < self.tell_after_ms:
            return
        self.tell_after_ms = self.io.now_ms + TELL_EVERY_MS
        self.told_idle_closed, self.told_pauses = self.exchanges_.idle_closed, self.pauses
        self.log.warning(
            "descriptors are scarce: %d of %d are open; %d idle connections were closed, accepting paused %d times",
            self.io.open_count + self.overload.other_fds, self.overload.max_fds, closed, pauses,
        )

    def reopen_logs(self) -> None:
        """Those that cannot be opened go on with the file that they have."""
        for log in self.access_logs:
            try:
                log.reopen()
            except OSError as error:
                self.log.error("cannot open the access log again: %s", error)

    def close(self) -> None:
        """End every connection, exchange and tunnel now, and write what the logs hold."""
        self.stop_listening()
        self.exchanges_.close_all()
        self.io.recycle()
        for log in self.access_logs:
            log.close()

    def pump(self) -> None:
        """Handle what is ready: never blocks, and returns after a bounded number of batches."""
        cdef int rounds = 0
        while rounds < ROUNDS and self.take_batch(0):
            rounds += 1
        if self.io.queue != NULL:
            self.wake()

    def work(self) -> None:
        """As `pump`, for a caller with little else to do: blocks for LINGER_MS where events come close together, and
        returns after about TURN_MS, or when what it heeds has something to read. To go back to another event loop and
        to be called by it costs as much as an event."""
        self.is_called = False
        cdef bint goes_on = self.take_batch(0)
        cdef bint is_busy = self.io.now_ms <= self.worked_ms + LINGER_MS
        cdef uint64_t ends_ms = self.io.now_ms + TURN_MS
        while goes_on and not self.is_called and self.io.now_ms < ends_ms:
            goes_on = self.take_batch(LINGER_MS if is_busy and self.io.queue == NULL else 0)
        self.worked_ms = self.io.now_ms
        if self.io.queue != NULL:
            self.wake()

    cdef bint take_batch(self, int wait_ms) except -1:
        """Handle one batch of events, after waiting so long for it; False when there is nothing more to do."""
        cdef int count, i = 0
        with nogil:
            count = epoll_wait(self.io.epoll_fd, self.events, BATCH, wait_ms)
        self.io.update_clock()
        self.retire_kept(count)
        while i < count:
            i = self.dispatch(i, count)
        if self.io.queue != NULL:
            self.run_queue()
        self.io.recycle()
        self.io.arm_timer_fd()
        return count > 0 or self.io.queue != NULL

    cdef int retire_kept(self, int count) except -1:
        """Close kept connections on which nodes have ended or said something, before a request of the same batch takes
        one: it would have for its answer what answers nothing."""
        cdef Connection *connection
        cdef int i
        for i in range(count):
            connection = <Connection *> self.events[i].data.ptr
            if connection.kind == UPSTREAM and connection.flags & IDLE:
                self.dispatch(i, i + 1)

    cdef int dispatch(self, int first, int end) except -1:
        """Handle the events from `first` to `end`, or up to one that fails; where to go on."""
        cdef int i = first
        try:
            while i < end:
                self.handle(<Connection *> self.events[i].data.ptr, self.events[i].events)
                i += 1
        except Exception:
            self.fail(<Connection *> self.events[i].data.ptr)
            i += 1
        return i

    cdef int handle(self, Connection *connection, uint32_t events) except -1:
        if connection.kind == CLOSED:
            pass  # by an event before it
        elif connection.tunnel != NULL:
            self.exchanges_.tunnel_event(connection, events)
        elif connection.kind == DOWNSTREAM:
            self.exchanges_.downstream_event(connection, events)
        elif connection.kind == UPSTREAM:
            self.exchanges_.upstream_event(connection, events)
        elif connection.kind == LISTENER:
            self.accept(connection)
        elif connection.kind == CLOCK:
            self.run_timers()
        elif connection.kind == CALLER:
            self.is_called = True
        else:
            self.exchanges_.relay_event(connection, events)

    cdef int run_queue(self) except -1:
        """Give every connection that stood in the queue at the beginning its turn."""
        cdef Connection *connection
        cdef Connection *last = self.io.queue_tail
        while self.io.queue != NULL:
            connection = self.io.dequeue()
            try:
                self.exchanges_.resume(connection)
            except Exception:
                self.fail(connection)
            if connection == last:
                break

    cdef int wake(self) except -1:
        """Have the kernel call us again although it has nothing new: the queue is not empty."""
        timer_set(&self.io.wheel, &self.io.clock.timer, self.io.now_ms + 1)
        self.io.arm_timer_fd()

    cdef int run_timers(self) except -1:
        cdef unsigned long long expirations
        cdef Timer *timer
        read(self.io.timer_fd, &expirations, sizeof(expirations))
        self.io.timer_armed_ms = 0
        wheel_turn(&self.io.wheel, self.io.now_ms)
        while True:
            timer = wheel_next_expired(&self.io.wheel)
            if timer == NULL:
                break
            self.expired(<Connection *> timer)

    cdef int expired(self, Connection *connection) except -1:
        try:
            if connection.kind == LISTENER:
                self.resume_accepting(connection)
            else:
                self.exchanges_.timer(connection)
        except Exception:
            self.fail(connection)

    cdef int fail(self, Connection *connection) except -1:
        """A handler raised: log the defect, and end what it was working on."""
        self.log.exception("a connection was closed because handling it failed")
        if connection.kind != LISTENER and connection.kind != CLOCK:
            self.exchanges_.discard(connection)
