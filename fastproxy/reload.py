"""One reload, from the signal to its outcome: load, make, look up, prepare, commit.

Until the commit nothing has changed for anybody, and whatever goes wrong before it ends the reload with a reason: a
wrong file, a port that cannot be had, a worker that cannot make the configuration ready or dies over it.
The supervisor calls when something has happened; nothing here waits.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from fastproxy import control, handovers
from fastproxy.errors import FastproxyError
from fastproxy.generation import Generation
from fastproxy.health.health import Health
from fastproxy.listening import Bound
from fastproxy.loader import Load, Loader
from fastproxy.model import Configuration
from fastproxy.resolver import ClusterResolver
from fastproxy.worker_process import WorkerProcess

log = logging.getLogger("fastproxy.reload")

LOAD_S = 60.0
"""How long reading the file may take."""
LOOKUP_S = 1.0
"""How long new names are waited for, as at the start."""
WARM_S = 30.0
"""How long the first checks of new hosts are waited for."""
PREPARE_S = 30.0
"""How long workers may take to answer."""


class Surroundings(Protocol):
    """What a reload needs of the supervisor."""

    @property
    def health(self) -> Health: ...
    def live_workers(self) -> Sequence[WorkerProcess]: ...
    def send(self, process: WorkerProcess, message: control.Message, fds: Sequence[int] = ()) -> None: ...
    def later(self, delay_s: float, action: Callable[[], None]) -> asyncio.TimerHandle: ...
    def make(self, configuration: Configuration) -> Generation: ...
    def look_up(self, resolvers: Iterable[ClusterResolver]) -> None: ...
    def committed(self, generation: Generation) -> None: ...
    def failed(self, reason: str) -> None: ...


class Reload:
    """`current` is what is in use until `around.committed` or `around.failed` is called, once."""

    def __init__(self, current: Generation, load: Load, around: Surroundings) -> None:
        self._current = current
        self._around = around
        self._next: Generation | None = None
        self._resolved: Configuration | None = None
        self._wanted_slots = current.configuration.session_table_slots
        self._told: list[WorkerProcess] = []
        self._awaited: list[WorkerProcess] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._load = load
        self._loader: Loader | None = None
        self._over = False
        self._is_checking = False

    def begin(self) -> None:
        """Not while an event loop runs: it forks."""
        log.info("reading the configuration again")
        try:
            self._loader = Loader(self._load)
        except OSError as error:
            self._fail(f"there can be no process for it: {error.strerror}")
            return
        self._later(LOAD_S, self._loader.kill)

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        self._timers.append(self._around.later(delay_s, action))

    def child_ended(self) -> None:
        """A child process has ended, perhaps the one that loads."""
        loaded = self._loader.result() if self._loader else None
        if loaded is None:
            return
        self._loader = None
        if self._over:
            return
        for warning in loaded.warnings:
            log.warning("%s", warning)
        if loaded.configuration is None:
            self._fail(loaded.error)
            return
        try:
            self._next = self._around.make(self._with_this_table(loaded.configuration))
        except FastproxyError as error:
            self._fail(str(error))
            return
        self._look_up(self._next)

    def _with_this_table(self, configuration: Configuration) -> Configuration:
        """The configuration with the session table that there is: shared memory has its size for life."""
        self._wanted_slots = configuration.session_table_slots
        return replace(configuration, session_table_slots=self._current.configuration.session_table_slots)

    def _look_up(self, generation: Generation) -> None:
        """Have the names of clusters that are new or were changed looked up first; others have their addresses."""
        known = set(map(id, self._current.resolvers.values()))
        fresh = [each for each in generation.resolvers.values() if id(each) not in known]
        self._around.look_up(fresh)
        if any(each.is_awaited for each in fresh):
            self._later(LOOKUP_S, self._check)
        else:
            self._check()

    def looked_up(self) -> None:
        """A name was answered for."""
        if self._next is not None and not any(each.is_awaited for each in self._next.resolvers.values()):
            self._check()

    def _check(self) -> None:
        """Have the hosts of clusters that are new or were changed checked before anybody uses them."""
        if self._over or self._is_checking or self._next is None:
            return
        self._is_checking = True
        self._around.health.prepare(self._next)
        if self._around.health.is_warm:
            self._prepare()
        else:
            self._later(WARM_S, self._prepare)

    def warmed(self) -> None:
        """All those were checked once."""
        self._prepare()

    def _prepare(self) -> None:
        if self._over or self._resolved is not None or self._next is None:
            return
        self._resolved = self._around.health.configuration(self._next)
        self._told = list(self._around.live_workers())
        self._awaited = list(self._told)
        try:
            self._hand_over(self._next)
        except OSError as error:
            self._fail(f"cannot hand the configuration to the workers: {error.strerror}")
            return
        self._later(PREPARE_S, self._preparing_takes_too_long)
        self._commit_when_ready()

    def _hand_over(self, generation: Generation) -> None:
        assert self._resolved is not None
        file = handovers.write(handovers.Handover(self._resolved, generation.layout.state))
        added = list(generation.listening.added_to(self._current.listening))
        message = control.Prepare(generation.number, generation.listening.places())
        try:
            for process in self._told:
                self._send_sockets(process, added)
                self._around.send(process, message, [file])
        finally:
            os.close(file)

    def _send_sockets(self, process: WorkerProcess, added: list[Bound]) -> None:
        for start in range(0, len(added), control.MAX_FDS):
            some = added[start : start + control.MAX_FDS]
            numbers = tuple(bound.number for bound in some)
            self._around.send(process, control.Sockets(numbers), [bound.fd(process.index) for bound in some])

    def answered(self, process: WorkerProcess, answer: control.Prepared) -> None:
        """A worker is ready to commit, or is not."""
        if self._over or self._next is None or answer.generation != self._next.number:
            return
        if answer.error:
            self._fail(f"worker {process.index} cannot use the configuration: {answer.error}")
            return
        self._awaited = [each for each in self._awaited if each is not process]
        self._commit_when_ready()

    def worker_ended(self, process: WorkerProcess) -> None:
        """A worker has died; its successor is made of what is current."""
        if not self._over and process in self._told:
            self._told.remove(process)
            self._fail(f"worker {process.index} ended while it made the configuration ready")

    def _commit_when_ready(self) -> None:
        if self._awaited or self._next is None or self._resolved is None:
            return
        self._end()
        for process in self._told:
            self._around.send(process, control.Commit(self._next.number))
        self._around.committed(self._next)
        log.info("configuration %d is in use", self._next.number)
        if self._next.configuration.admin != self._current.configuration.admin:
            log.warning("the admin's address and access log stay as they are until the next start")
        slots = self._next.configuration.session_table_slots
        if self._wanted_slots != slots:
            log.warning("session_table_slots: the session table keeps its %d slots until the next start", slots)
        self._send_later_answers(self._next, self._resolved)

    def _send_later_answers(self, generation: Generation, told: Configuration) -> None:
        """What DNS and checks have changed of host sets since the workers were told of the configuration."""
        now = self._around.health.configuration(generation)
        for before, after in zip(told.clusters, now.clusters, strict=True):
            for message in control.updates(before, after):
                for process in self._told:
                    self._around.send(process, message)

    def abandon(self) -> None:
        """The server ends: forget about it."""
        if not self._over:
            self._undo()

    def _end(self) -> None:
        self._over = True
        for timer in self._timers:
            timer.cancel()

    def _undo(self) -> None:
        self._end()
        self._around.health.abandon()
        if self._loader is not None:
            self._loader.kill()
        if self._next is not None:
            for process in self._told:
                self._around.send(process, control.Abandon(self._next.number))
            self._next.listening.close_all_but(self._current.listening)

    def _fail(self, reason: str) -> None:
        self._undo()
        for line in reason.splitlines():
            log.error("%s", line)
        log.error("nothing was changed: configuration %d stays in use", self._current.number)
        self._around.failed(reason)

    def _preparing_takes_too_long(self) -> None:
        if not self._over:
            late = ", ".join(str(process.index) for process in self._awaited)
            self._fail(f"no answer from worker {late} within {PREPARE_S:g} s")
