"""The process limits that bound how many connections can be carried."""

import resource
from dataclasses import dataclass

RESERVED_FDS = 64
"""Descriptors that a worker needs besides its connections: listeners, logs, epoll, timers, control channel."""


@dataclass(frozen=True, slots=True)
class FileLimit:
    """How many descriptors one process may have open, before and after the soft limit was raised."""

    before: int
    now: int

    @property
    def tunnels(self) -> int:
        """Tunnels that one worker can hold: two descriptors each."""
        return max(0, self.now - RESERVED_FDS) // 2

    def describe(self, workers: int) -> str:
        raised = f"raised from {self.before} to {self.now}" if self.now > self.before else f"is {self.now}"
        return f"open files per process: {raised}, enough for {self.tunnels * workers} tunnels"


def raise_file_limit() -> FileLimit:
    """Raise RLIMIT_NOFILE's soft limit to its hard limit; where that is refused, keep what there is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return FileLimit(soft, soft)
    return FileLimit(soft, hard)


def set_core_limit(*, enabled: bool) -> None:
    """Whether a crash may write a core file, as large as the hard limit allows. It has in it what users send."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard if enabled else 0, hard))
