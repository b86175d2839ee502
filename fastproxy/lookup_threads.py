"""Threads for what may block. They live only as long as there is something to do.

A pool's idle threads would be there whenever the supervisor forks.
"""

import threading
from collections import deque
from collections.abc import Callable

MAX_THREADS = 64
"""Lookups that are under way at the same time; others wait."""
MAX_WAITING = 65536

Work = Callable[[], None]


class LookupThreads:
    def __init__(self, most: int = MAX_THREADS, most_waiting: int = MAX_WAITING) -> None:
        self._most = most
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        self._waiting: deque[Work] = deque()
        self.running = 0

    def run(self, work: Work) -> None:
        """Have `work`, which raises nothing, done in a thread as soon as one is free; OSError when it never will be."""
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                raise OSError("too many lookups are waiting")
            self._waiting.append(work)
            if self.running >= self._most:
                return
            self.running += 1
        self._start(work)

    def _start(self, work: Work) -> None:
        try:
            threading.Thread(target=self._work, name="dns", daemon=True).start()
        except RuntimeError as error:
            with self._lock:
                self.running -= 1
                if self.running or work not in self._waiting:
                    return  # one of the threads there are will do it
                self._waiting.remove(work)
            raise OSError(str(error)) from None

    def _work(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self.running -= 1
            return None
