"""The process that owns everything but the traffic: sockets, shared memory, workers, DNS, admin.

Its event loop only waits. Whatever may fork is put on a queue as an action and runs between two runs of the loop, never
inside a callback of it.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from fastproxy import control, listeners, resolver, worker
from fastproxy.admin.access_log import AccessLog
from fastproxy.errors import FastproxyError
from fastproxy.model import Address, ClusterType, Configuration
from fastproxy.options import Options
from fastproxy.resolver import Addresses, ClusterResolver
from fastproxy.shared_memory import SharedMemory
from fastproxy.stats import StatsLayout, StatsReader, clear_gauges
from fastproxy.status import ServerState, Status
from fastproxy.worker_process import CRASH_PAUSE_S, WorkerProcess, describe_status, fork

if TYPE_CHECKING:
    from fastproxy.admin.server import AdminServer

T = TypeVar("T")

log = logging.getLogger("fastproxy.supervisor")

FIRST_LOOKUP_S = 1.0
KILL_MARGIN_S = 1.0
"""How much longer than its grace a worker may take to end before it is killed."""


class Supervisor:
    """One server, from its sockets to its exit status. Errors before the first fork are raised: FastproxyError."""

    def __init__(self, options: Options, configuration: Configuration, build: worker.Build) -> None:
        self._options = options
        self._build = build
        workers = options.concurrency
        self._bound = listeners.open_listeners(configuration, workers, options.config_path)
        self._admin_socket, self._admin_log = self._open_admin(configuration)
        self._layout = StatsLayout(configuration)
        self._memory = SharedMemory(configuration, self._layout, workers)
        self._rows = [self._memory.row(index) for index in range(workers)]
        self._session_key = os.urandom(16)
        self._resolvers = self._resolve(configuration)
        self._workers = [WorkerProcess(index) for index in range(workers)]
        self.status = Status(
            options,
            self._with_hosts(configuration),
            StatsReader(self._layout, self._rows),
            [(bound.name, bound.address) for bound in self._bound],
            self._resolvers,
        )
        self._actions: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self._admin: AdminServer | None = None
        self._finished = False
        self._exit_status = 0

    @property
    def admin_address(self) -> Address | None:
        """Where the admin listens, None without one."""
        return listeners.bound_address(self._admin_socket) if self._admin_socket else None

    def run(self) -> int:
        """Fork the workers, serve until a signal ends it; the exit status."""
        self._loop = asyncio.new_event_loop()
        self._catch_signals()
        gc.collect()
        gc.freeze()  # a collection would write to every object, and each page would exist once per process
        for process in self._workers:
            self._fork(process)
        self._run(self._start_admin())
        self._schedule_lookups()
        while not self._finished:
            action = self._run(self._actions.get())
            action()
        self._close()
        return self._exit_status

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)

    # -- set-up and end

    def _open_admin(self, configuration: Configuration) -> tuple[socket.socket | None, AccessLog | None]:
        admin, file = configuration.admin, self._options.config_path
        if admin is None:
            return None, None
        try:
            access_log = AccessLog(admin.access_log_path, file)
            return listeners.open_admin(admin.address, file), access_log
        except FastproxyError:
            self._close_listeners()
            raise

    async def _start_admin(self) -> None:
        """aiohttp is imported here, after the fork: workers need neither its memory nor its import time."""
        if self._admin_socket is None or self._admin_log is None:
            return
        from fastproxy.admin.server import AdminServer

        self._admin = AdminServer(self.status, self._admin_log)
        await self._admin.start(self._admin_socket)

    def close_sockets(self) -> None:
        """Undo what making a supervisor has opened; only for one that never ran."""
        self._close_listeners()
        if self._admin_socket and self._admin_log:
            self._admin_socket.close()
            self._admin_log.close()

    def _close_listeners(self) -> None:
        for bound in self._bound:
            bound.close()

    def _close(self) -> None:
        if self._admin:
            self._run(self._admin.close())
        self._loop.close()
        log.info("exiting")

    def _catch_signals(self) -> None:
        for number, action in (
            (signal.SIGTERM, self._end),
            (signal.SIGINT, self._end),
            (signal.SIGUSR1, self._reopen_logs),
            (signal.SIGHUP, self._hang_up),
        ):
            self._loop.add_signal_handler(number, self._actions.put_nowait, action)
        # Of signals that wait together the last is handled first, so a SIGTERM to the whole group can come behind the
        # deaths that it causes. One turn of the loop later it has been seen.
        self._loop.add_signal_handler(signal.SIGCHLD, self._loop.call_soon, self._actions.put_nowait, self._reap)

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Put `action` on the queue after a while."""
        self._loop.call_later(delay_s, self._actions.put_nowait, action)

    # -- workers

    def _fork(self, process: WorkerProcess) -> None:
        if process.pid or self.status.state is ServerState.DRAINING:
            return
        ours, theirs = control.channel_pair()
        sockets = [(bound.index, bound.index, bound.sockets[process.index].fileno()) for bound in self._bound]
        assignment = worker.Assignment(
            process.index,
            self.status.configuration,
            self._layout,
            self._rows[process.index],
            self._memory.sessions,
            self._session_key,
            sockets,
            theirs,
            self._options.shutdown_grace_s,
        )
        build = self._build
        try:
            pid = fork(lambda: worker.Worker(assignment, build).run(), [theirs.fileno(), *(fd for _, _, fd in sockets)])
        except OSError as error:
            ours.close()
            log.error("cannot fork worker %d: %s", process.index, error.strerror)
            self._later(CRASH_PAUSE_S, lambda: self._fork(process))
            return
        finally:
            theirs.close()
        process.born(pid, ours)
        self._loop.add_reader(ours.fileno(), self._receive, process, ours)
        log.debug("worker %d is process %d", process.index, pid)

    def _receive(self, process: WorkerProcess, channel: control.Channel) -> None:
        messages = channel.receive()
        if messages is None:
            self._loop.remove_reader(channel.fileno())
        elif any(isinstance(message, control.Started) for message in messages):
            process.started = True
            self._worker_started()

    def _worker_started(self) -> None:
        if self.status.state is ServerState.INITIALIZING and all(process.started for process in self._workers):
            self.status.state = ServerState.LIVE
            self.status.workers_started = True
            log.info("all workers started")

    def _reap(self) -> None:
        for process in self._workers:
            if process.pid and (status := process.exit_status()) is not None:
                self._bury(process, status)

    def _bury(self, process: WorkerProcess, status: int) -> None:
        """Take leave of a dead worker and see to its successor."""
        pid, started, channel = process.pid, process.started, process.channel
        assert channel is not None
        self._forget(channel)
        pause_s = process.died()
        clear_gauges(self._layout, self._rows[process.index])
        if self.status.state is ServerState.DRAINING:
            self._finish_when_alone()
            return
        level = logging.ERROR if status else logging.WARNING  # 0: somebody sent SIGTERM to the worker alone
        log.log(level, "worker %d (process %d) ended: %s", process.index, pid, describe_status(status))
        if self.status.state is ServerState.INITIALIZING and not started and os.WIFEXITED(status):
            self._exit_status = 1
            self._end()
            return
        self.status.workers_replaced += 1
        if pause_s:
            log.critical("worker %d keeps dying, next one in %g s", process.index, pause_s)
            self._later(pause_s, lambda: self._fork(process))
        else:
            self._fork(process)

    def _forget(self, channel: control.Channel) -> None:
        self._loop.remove_reader(channel.fileno())
        self._loop.remove_writer(channel.fileno())
        channel.close()

    def _tell(self, message: control.Message) -> None:
        for process in self._workers:
            if process.channel is not None:
                process.channel.send(message)
                self._flush_later(process.channel)

    def _flush_later(self, channel: control.Channel) -> None:
        if channel.unsent:
            self._loop.add_writer(channel.fileno(), self._flush, channel)

    def _flush(self, channel: control.Channel) -> None:
        channel.flush()
        if not channel.unsent:
            self._loop.remove_writer(channel.fileno())

    # -- signals

    def _end(self) -> None:
        """The first time: drain. The second time: now."""
        if self.status.state is ServerState.DRAINING:
            log.warning("closing all connections")
            self._tell(control.Stop())
            self._later(KILL_MARGIN_S, self._kill)
            return
        grace_s = self._options.shutdown_grace_s
        log.info("draining for at most %g s", grace_s)
        self.status.state = ServerState.DRAINING
        self._close_listeners()
        self._tell(control.Drain(grace_s))
        self._later(grace_s + KILL_MARGIN_S, self._kill)
        self._finish_when_alone()

    def _finish_when_alone(self) -> None:
        self._finished = not any(process.pid for process in self._workers)

    def _kill(self) -> None:
        for process in self._workers:
            if process.pid:
                log.warning("worker %d (process %d) does not end, killing it", process.index, process.pid)
                os.kill(process.pid, signal.SIGKILL)

    def _reopen_logs(self) -> None:
        log.info("reopening access logs")
        self._tell(control.ReopenLogs())
        if self._admin:
            self._admin.reopen_log()

    def _hang_up(self) -> None:
        log.warning("SIGHUP is ignored: the configuration cannot be reloaded yet")

    # -- DNS

    def _resolve(self, configuration: Configuration) -> list[ClusterResolver]:
        resolvers = [
            ClusterResolver(cluster, self._layout.host_capacity(cluster.name))
            for cluster in configuration.clusters
            if cluster.type is not ClusterType.STATIC
        ]
        resolver.resolve_first(resolvers, FIRST_LOOKUP_S)
        return resolvers

    def _with_hosts(self, configuration: Configuration) -> Configuration:
        """`configuration` with the addresses that DNS gave instead of the names."""
        hosts = {found.cluster.name: found.hosts for found in self._resolvers}
        clusters = (replace(one, hosts=hosts.get(one.name, one.hosts)) for one in configuration.clusters)
        return replace(configuration, clusters=tuple(clusters))

    def _schedule_lookups(self) -> None:
        for found in self._resolvers:
            if found.names:
                self._loop.call_later(found.cluster.dns_refresh_rate_s, self._look_up, found)

    def _look_up(self, found: ClusterResolver) -> None:
        resolver.start(found, self._answer_from_thread)
        self._loop.call_later(found.cluster.dns_refresh_rate_s, self._look_up, found)

    def _answer_from_thread(self, found: ClusterResolver, name: str, answer: Addresses | Exception) -> None:
        with suppress(RuntimeError):  # the loop is closed: we are ending
            self._loop.call_soon_threadsafe(self._answered, found, name, answer)

    def _answered(self, found: ClusterResolver, name: str, answer: Addresses | Exception) -> None:
        if resolver.take(found, name, answer):
            log.info("cluster '%s' has %d hosts now", found.cluster.name, len(found.hosts))
            self.status.configuration = self._with_hosts(self.status.configuration)
            self._tell(control.Hosts(found.cluster.name, found.hosts))
