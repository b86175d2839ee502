"""The workers of a supervisor: forks them, talks with them, learns of their deaths.

What a message or a death means is the supervisor's to say.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fastproxy import control, worker
from fastproxy.worker_process import WorkerProcess, fork

log = logging.getLogger("fastproxy.supervisor")

MAX_UNSENT_BYTES = 1 << 26
"""Of messages that may wait for one worker. One that has left so much unread does nothing any more: it is replaced."""

Assign = Callable[[int, control.Channel], worker.Assignment]
"""What the worker of that number works with; its end of the channel is part of it."""
Received = Callable[[WorkerProcess, control.Message], None]


@dataclass(frozen=True, slots=True)
class Death:
    """`status` is that of waitpid; a successor may be forked after `pause_s`."""

    pid: int
    status: int
    started: bool
    pause_s: float


class Crew:
    """`members` are all there should be, alive or not. Messages of workers go to `received`, on `loop`."""

    def __init__(
        self, count: int, loop: asyncio.AbstractEventLoop, assign: Assign, build: worker.Build, received: Received
    ) -> None:
        self.members = [WorkerProcess(index) for index in range(count)]
        self._loop = loop
        self._assign = assign
        self._build = build
        self._received = received

    @property
    def is_alive(self) -> bool:
        """Whether there is any worker."""
        return any(process.pid for process in self.members)

    def pids(self) -> list[int]:
        """Of this process and of all workers there are."""
        return [os.getpid(), *(process.pid for process in self.members if process.pid)]

    @property
    def reachable(self) -> list[WorkerProcess]:
        return [process for process in self.members if process.channel is not None]

    def fork(self, process: WorkerProcess) -> bool:
        """Give a member its process; False when the system has none to give. One that has it is left alone."""
        if process.pid:
            return True
        ours, theirs = control.channel_pair()
        assignment, build = self._assign(process.index, theirs), self._build
        fds = [theirs.fileno(), *(fd for _, _, fd in assignment.listeners)]
        try:
            pid = fork(lambda: worker.Worker(assignment, build).run(), fds)
        except OSError as error:
            ours.close()
            log.error("cannot fork worker %d: %s", process.index, error.strerror)
            return False
        finally:
            theirs.close()
        process.born(pid, ours)
        self._loop.add_reader(ours.fileno(), self._receive, process, ours)
        log.debug("worker %d is process %d", process.index, pid)
        return True

    def take_dead(self) -> Iterator[tuple[WorkerProcess, Death]]:
        """Those that have ended since the last call."""
        for process in self.members:
            if process.pid and (status := process.exit_status()) is not None:
                yield process, self._bury(process, status)

    def _bury(self, process: WorkerProcess, status: int) -> Death:
        pid, started, channel = process.pid, process.started, process.channel
        assert channel is not None
        self._loop.remove_reader(channel.fileno())
        self._loop.remove_writer(channel.fileno())
        channel.close()
        return Death(pid, status, started, process.died())

    def kill(self) -> None:
        """End all that are left, at once."""
        for process in self.members:
            if process.pid:
                log.warning("worker %d (process %d) does not end, killing it", process.index, process.pid)
                os.kill(process.pid, signal.SIGKILL)

    # -- messages

    def tell(self, message: control.Message) -> None:
        """Send `message` to all."""
        encoded = control.encode(message)
        for process in self.members:
            self._send(process, encoded)

    def send(self, process: WorkerProcess, message: control.Message, fds: Sequence[int] = ()) -> None:
        """Send `message`, with copies of `fds`, to one that can be reached."""
        self._send(process, control.encode(message), fds)

    def _send(self, process: WorkerProcess, encoded: bytes, fds: Sequence[int] = ()) -> None:
        channel = process.channel
        if channel is None:
            return
        channel.send_encoded(encoded, fds)
        if channel.unsent_bytes > MAX_UNSENT_BYTES:
            self._give_up(process, channel)
        if channel.unsent:
            self._loop.add_writer(channel.fileno(), self._flush, channel)

    def _give_up(self, process: WorkerProcess, channel: control.Channel) -> None:
        log.critical("worker %d (process %d) reads no messages, killing it", process.index, process.pid)
        channel.forget_unsent()
        os.kill(process.pid, signal.SIGKILL)

    def _flush(self, channel: control.Channel) -> None:
        channel.flush()
        if not channel.unsent:
            self._loop.remove_writer(channel.fileno())

    def _receive(self, process: WorkerProcess, channel: control.Channel) -> None:
        messages = channel.receive()
        if messages is None:
            self._loop.remove_reader(channel.fileno())
            return
        for message in messages:
            self._received(process, message)
