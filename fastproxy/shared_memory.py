"""Memory that the supervisor and all workers share, and that outlives any worker.

Anonymous and made before the first fork: no name in /dev/shm that could stay behind. Each worker's row of counters
begins on a page of its own, so two workers never write to the same cache line; behind the rows come the session table,
the tables of limits, and what the supervisor tells all workers.
Pages cost nothing until they are touched.
"""

import mmap

from fastproxy._sessions import region_bytes
from fastproxy.limit_tables import limits_bytes
from fastproxy.model import Configuration
from fastproxy.stats import StatsLayout

WORD_BYTES = 8
OVERLOAD_BYTES = 64
ROW_SLOTS = 1 << 17
"""Counters that a worker's row has room for at least, or four times those of the first configuration: what comes with
later ones finds its place behind them."""


def _whole_pages(size_bytes: int) -> int:
    return -(-size_bytes // mmap.PAGESIZE) * mmap.PAGESIZE


class SharedMemory:
    """`row(i)` is worker i's counters; `sessions` and `limits` are regions for everybody, and so is `overload`: how far
    each action of the overload manager goes, in percent. All zero at first."""

    def __init__(self, configuration: Configuration, layout: StatsLayout, workers: int) -> None:
        self.row_slots = max(4 * layout.slots, ROW_SLOTS)
        self._row_bytes = self.row_slots * WORD_BYTES
        self._stride_bytes = _whole_pages(self._row_bytes)
        self._workers = workers
        rows_bytes = self._stride_bytes * workers
        sessions_bytes = region_bytes(configuration.session_table_slots)
        limits_start = rows_bytes + _whole_pages(sessions_bytes)
        limits_end = limits_start + limits_bytes(workers)
        overload_start = _whole_pages(limits_end)
        self._map = mmap.mmap(-1, overload_start + mmap.PAGESIZE)
        self._view = memoryview(self._map)
        self.sessions = self._view[rows_bytes : rows_bytes + sessions_bytes]
        self.limits = self._view[limits_start:limits_end]
        self.overload = self._view[overload_start : overload_start + OVERLOAD_BYTES]
        self._views = [self.sessions, self.limits, self.overload]

    def row(self, worker: int) -> memoryview:
        """Worker `worker`'s counters: a writable view of 64-bit words ('Q'), row_slots long."""
        if not 0 <= worker < self._workers:
            raise IndexError(f"worker {worker} of {self._workers}")
        start = worker * self._stride_bytes
        row = self._view[start : start + self._row_bytes].cast("Q")
        self._views.append(row)
        return row

    def close(self) -> None:
        """Give the memory back. BufferError while somebody still holds a view that was made from ours."""
        for view in self._views:
            view.release()
        self._view.release()
        self._map.close()
