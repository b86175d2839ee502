"""The process that owns everything but the traffic: sockets, shared memory, workers, DNS, admin.

Its event loop only waits. Whatever may fork is put on a queue as an action and runs between two runs of the loop, never
inside a callback of it.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from fastproxy import control, resolver, worker
from fastproxy.admin.listener import AdminListener
from fastproxy.crew import Crew, Death
from fastproxy.errors import FastproxyError
from fastproxy.generation import Generation
from fastproxy.health.health import Health
from fastproxy.listening import Listening
from fastproxy.loader import Load
from fastproxy.membership import Membership
from fastproxy.model import Address, Configuration
from fastproxy.options import Options
from fastproxy.overload_watch import watch
from fastproxy.reload import Reload
from fastproxy.resolver import ClusterResolver
from fastproxy.session_stats import live_in
from fastproxy.shared_memory import SharedMemory
from fastproxy.stats import StatsLayout, StatsReader, clear_gauges
from fastproxy.status import Orders, ServerState, Status
from fastproxy.worker_process import CRASH_PAUSE_S, WorkerProcess, describe_status

T = TypeVar("T")

log = logging.getLogger("fastproxy.supervisor")

FIRST_LOOKUP_S = 1.0
WARM_S = 30.0
"""How long the first checks of hosts may take altogether before the server starts without their outcome."""
KILL_MARGIN_S = 1.0
"""How much longer than its grace a worker may take to end before it is killed."""


class Supervisor:
    """One server, from its sockets to its exit status. Errors before the first fork are raised: FastproxyError."""

    def __init__(self, options: Options, configuration: Configuration, build: worker.Build, load: Load) -> None:
        """`load` reads the configuration again, in a process of its own."""
        self._options = options
        self._load = load
        workers = options.concurrency
        layout = StatsLayout(configuration)
        listening = Listening().next(configuration, workers, options.source)
        self._current = Generation.first(configuration, listening, layout)
        self._admin = self._open_admin(configuration)
        self._memory = SharedMemory(configuration, layout, workers)
        self._rows = [self._memory.row(index) for index in range(workers)]
        self._session_key = os.urandom(16)
        resolver.resolve_first(list(self._current.resolvers.values()), FIRST_LOOKUP_S)
        self.status = Status(
            options,
            self._current.resolved(),
            StatsReader(layout, self._rows),
            listening.addresses(),
            list(self._current.resolvers.values()),
        )
        self.status.live_at = live_in(self._memory.sessions, self._session_key)
        self._reload: Reload | None = None
        self._reload_again = False
        self._actions: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        put = self._actions.put_nowait
        self.status.orders = Orders(partial(put, self._end), partial(put, self._reopen_logs))
        self._finished = False
        self._exit_status = 0
        self._loop = asyncio.new_event_loop()
        self._is_started = False
        self._crew = Crew(workers, self._loop, self._assign, build, self._received)
        self._membership = Membership(
            self._loop, self._rows, self._current, self.status, self._crew.tell, self._warmed, self._looked_up
        )
        self._overload = watch(self._memory.overload, self._crew.pids, self.status.connections)
        self.status.overload = self._overload.statistics

    @property
    def admin_address(self) -> Address | None:
        """Where the admin listens, None without one."""
        return self._admin.address if self._admin else None

    def run(self) -> int:
        """Check hosts, fork the workers, serve until a signal ends it; the exit status."""
        self._catch_signals()
        self.health.prepare(self._current)
        if self.health.is_warm:
            self._start()
        else:
            self.later(WARM_S, self._start)
        while not self._finished:
            action = self._run(self._actions.get())
            action()
        self._close()
        return self._exit_status

    def _start(self) -> None:
        """Fork the workers. Once, and not when the server is to end already."""
        if self._is_started or self.status.state is ServerState.DRAINING:
            return
        self._is_started = True
        self.status.configuration = self._membership.use(self._current)
        gc.collect()
        gc.freeze()  # a collection would write to every object, and each page would exist once per process
        for process in self._crew.members:
            self._fork(process)
        if self._admin:
            self._run(self._admin.serve(self.status))
        self._overload.run(self._loop, self._current.configuration.overload)
        self._end_reload()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)

    # -- set-up and end

    def _open_admin(self, configuration: Configuration) -> AdminListener | None:
        if configuration.admin is None:
            return None
        try:
            return AdminListener(configuration.admin, self._options.config_path)
        except FastproxyError:
            self._close_listeners()
            raise

    def close_sockets(self) -> None:
        """Undo what making a supervisor has opened; only for one that never ran."""
        self._close_listeners()
        self._loop.close()
        if self._admin:
            self._admin.close_unserved()

    def _close_listeners(self) -> None:
        self._current.listening.close_all_but(Listening())

    def _close(self) -> None:
        if self._admin:
            self._run(self._admin.close())
        self._run(self.health.close())
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

    # -- workers

    def _assign(self, index: int, channel: control.Channel) -> worker.Assignment:
        bound = self._current.listening.bound
        return worker.Assignment(
            index,
            self._membership.told,
            self._current.layout,
            self._rows,
            self._memory.sessions,
            self._session_key,
            [(each.number, each.index, each.fd(index)) for each in bound],
            channel,
            self._options.shutdown_grace_s,
            self._memory.limits,
            self._memory.overload,
        )

    def _fork(self, process: WorkerProcess) -> None:
        if self.status.state is ServerState.DRAINING or self._crew.fork(process):
            return
        self.later(CRASH_PAUSE_S, lambda: self._fork(process))

    def _received(self, process: WorkerProcess, message: control.Message) -> None:
        if isinstance(message, control.Started):
            process.started = True
            self._worker_started()
        elif isinstance(message, control.Prepared) and self._reload is not None:
            self._reload.answered(process, message)
        elif isinstance(message, control.Failing):
            self.health.failing(message.cluster, message.address, message.kind)

    def _worker_started(self) -> None:
        if self.status.state is ServerState.INITIALIZING and all(process.started for process in self._crew.members):
            self.status.state = ServerState.LIVE
            self.status.workers_started = True
            log.info("all workers started")

    def _reap(self) -> None:
        for process, death in self._crew.take_dead():
            self._replace(process, death)
        if self._reload is not None:
            self._reload.child_ended()

    def _replace(self, process: WorkerProcess, death: Death) -> None:
        """See to the successor of a dead worker."""
        clear_gauges(self._current.layout, self._rows[process.index])
        if self._reload is not None:
            self._reload.worker_ended(process)
        if self.status.state is ServerState.DRAINING:
            self._finish_when_alone()
            return
        level = logging.ERROR if death.status else logging.WARNING  # 0: somebody sent SIGTERM to the worker alone
        what = describe_status(death.status)
        log.log(level, "worker %d (process %d) ended: %s", process.index, death.pid, what)
        if self.status.state is ServerState.INITIALIZING and not death.started and os.WIFEXITED(death.status):
            self._exit_status = 1
            self._end()
            return
        self.status.workers_replaced += 1
        if death.pause_s:
            log.critical("worker %d keeps dying, next one in %g s", process.index, death.pause_s)
            self.later(death.pause_s, lambda: self._fork(process))
        else:
            self._fork(process)

    # -- signals

    def _end(self) -> None:
        """The first time: drain. The second time: now."""
        if self.status.state is ServerState.DRAINING:
            log.warning("closing all connections")
            self._crew.tell(control.Stop())
            self.later(KILL_MARGIN_S, self._crew.kill)
            return
        grace_s = self._options.shutdown_grace_s
        log.info("draining for at most %g s", grace_s)
        self.status.state = ServerState.DRAINING
        if self._reload is not None:
            self._reload.abandon()
        self._close_listeners()
        self._crew.tell(control.Drain(grace_s))
        self.later(grace_s + KILL_MARGIN_S, self._crew.kill)
        self._finish_when_alone()

    def _finish_when_alone(self) -> None:
        self._finished = not self._crew.is_alive

    def _reopen_logs(self) -> None:
        log.info("reopening access logs")
        self._crew.tell(control.ReopenLogs())
        if self._admin:
            self._admin.reopen_log()

    def _hang_up(self) -> None:
        """Read the configuration again. What comes while that is under way is done once more behind it."""
        if self.status.state is ServerState.DRAINING:
            return
        self._reload_again = self._reload is not None or not self._is_started
        if self._reload is None and self._is_started:
            self.status.reloads.attempts += 1
            self._reload = Reload(self._current, self._load, self)
            self._reload.begin()

    # -- what a reload needs (reload.Surroundings)

    @property
    def health(self) -> Health:
        return self._membership.health

    def live_workers(self) -> list[WorkerProcess]:
        return self._crew.reachable

    def send(self, process: WorkerProcess, message: control.Message, fds: Sequence[int] = ()) -> None:
        self._crew.send(process, message, fds)

    def later(self, delay_s: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Put `action` on the queue after a while."""
        return self._loop.call_later(delay_s, self._actions.put_nowait, action)

    def make(self, configuration: Configuration) -> Generation:
        options, is_idle = self._options, self.status.reader.is_idle
        listening = self._current.listening.next(configuration, options.concurrency, options.source)
        return self._current.next(configuration, listening, is_idle, self._memory.row_slots)

    def look_up(self, resolvers: Iterable[ClusterResolver]) -> None:
        self._membership.look_up(resolvers)

    def committed(self, generation: Generation) -> None:
        before, self._current = self._current, generation
        before.listening.close_all_but(generation.listening)
        generation.listening.set_backlogs(before.listening)
        reader = StatsReader(generation.layout, self._rows)
        self.status.adopt(generation, self._membership.use(generation), reader)
        self._overload.adopt(generation.configuration.overload)
        self._end_reload()

    def failed(self, reason: str) -> None:
        self.status.reloads.fail(reason)
        self._end_reload()

    def _end_reload(self) -> None:
        self._reload = None
        if self._reload_again:
            self._actions.put_nowait(self._hang_up)

    def _warmed(self) -> None:
        """All that was to be checked before it is used was."""
        self._actions.put_nowait(self._start if self._reload is None else self._reload.warmed)

    def _looked_up(self) -> None:
        if self._reload is not None:
            self._reload.looked_up()
