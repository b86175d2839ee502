"""A worker as the supervisor sees it: a process id, a channel, a record of deaths. And the fork that makes one.

The hygiene of the fork is here: the child shares the parent's event loop, its epoll and its signal pipe, and must
touch none of them. It closes every descriptor that is not its own, never lets an object of the parent be finalised
(gc.freeze, and os._exit at the end), and signals wait until it has handlers of its own.
"""

import faulthandler
import gc
import logging
import os
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable

from fastproxy.control import Channel
from fastproxy.errors import FastproxyError

log = logging.getLogger("fastproxy.worker")

CANNOT_START = 71
"""Exit status of a worker that could not even build its data plane: a new one would fail likewise."""

CRASH_LIMIT = 5
CRASH_WINDOW_S = 10.0
CRASH_PAUSE_S = 1.0

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)


class WorkerProcess:
    """Worker number `index` over all its lives. `pid` is 0 while there is none."""

    def __init__(self, index: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.index = index
        self.pid = 0
        self.channel: Channel | None = None
        self.started = False
        self._clock = clock
        self._deaths: deque[float] = deque(maxlen=CRASH_LIMIT + 1)

    def born(self, pid: int, channel: Channel) -> None:
        self.pid, self.channel, self.started = pid, channel, False

    def died(self) -> float:
        """Record a death; how many seconds to wait before the next life."""
        self.pid, self.channel, self.started = 0, None, False
        self._deaths.append(self._clock())
        crashing = len(self._deaths) > CRASH_LIMIT and self._deaths[-1] - self._deaths[0] < CRASH_WINDOW_S
        return CRASH_PAUSE_S if crashing else 0.0

    def exit_status(self) -> int | None:
        """The wait status if the process has ended, None while it runs. A child that somebody else has waited for
        counts as killed."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return signal.SIGKILL
        return status if pid else None


def describe_status(status: int) -> str:
    """`status` of waitpid in words."""
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit status {os.waitstatus_to_exitcode(status)}"


def fork(child: Callable[[], int], keep_fds: Iterable[int]) -> int:
    """Run `child` in a new process that has only stdin, stdout, stderr and `keep_fds`; its process id.

    OSError when there can be no more processes. Must not be called while an event loop runs.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _live(child, keep_fds)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _live(child: Callable[[], int], keep_fds: Iterable[int]) -> None:
    """The child from birth to death; never returns."""
    status = 1
    try:
        gc.freeze()
        _reset_signals()
        _close_all_but({0, 1, 2, *keep_fds})
        faulthandler.enable(2)  # where a worker was when it crashed, on stderr
        status = child()
    except FastproxyError as error:
        log.critical("%s", error)
        status = CANNOT_START
    except BaseException:
        log.critical("worker failed", exc_info=True)
    finally:
        os._exit(status)


def _reset_signals() -> None:
    """Ctrl-C and a closing terminal reach every process of the group: there the supervisor decides."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _close_all_but(keep_fds: set[int]) -> None:
    first = 0
    for fd in sorted(keep_fds):
        if first < fd:  # closerange(0, 0) would close everything: its end is turned into "up to -1", unsigned
            os.closerange(first, fd)
        first = fd + 1
    os.closerange(first, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
