"""Memory that outlives a worker."""

import mmap
import os

import pytest

from fastproxy._sessions import region_bytes
from fastproxy.model import Configuration
from fastproxy.shared_memory import ROW_SLOTS, SharedMemory
from fastproxy.stats import StatsLayout

CONFIGURATION = Configuration(session_table_slots=64)


class Layout(StatsLayout):
    """A layout of any size."""

    def __init__(self, slots: int) -> None:
        super().__init__(CONFIGURATION)
        self.slots = slots


@pytest.fixture
def memory():
    shared = SharedMemory(CONFIGURATION, Layout(700), workers=3)
    yield shared
    shared.close()


def test_a_row_is_words(memory):
    row = memory.row(2)
    assert (row.format, len(row), row.readonly) == ("Q", ROW_SLOTS, False)
    assert not any(row)
    row[699] = 2**64 - 1
    assert memory.row(2)[699] == 2**64 - 1


def test_rows_and_sessions_do_not_overlap(memory):
    for worker in range(3):
        row = memory.row(worker)
        for slot in range(ROW_SLOTS):
            row[slot] = worker + 1
    memory.sessions[:] = b"\xff" * len(memory.sessions)
    assert [set(memory.row(worker)) for worker in range(3)] == [{1}, {2}, {3}]


def test_each_row_has_pages_of_its_own(memory):
    assert memory._stride_bytes % mmap.PAGESIZE == 0
    assert memory._stride_bytes >= ROW_SLOTS * 8


def test_a_large_configuration_may_become_four_times_as_large():
    shared = SharedMemory(CONFIGURATION, Layout(ROW_SLOTS), workers=1)
    assert len(shared.row(0)) == 4 * ROW_SLOTS
    shared.close()


def test_sessions_have_the_size_of_the_table(memory):
    assert memory.sessions.nbytes == region_bytes(64)
    assert memory.sessions.format == "B"


def test_there_is_no_row_beyond_the_workers(memory):
    with pytest.raises(IndexError):
        memory.row(3)


def test_a_child_process_writes_what_the_parent_reads(memory):
    row = memory.row(1)
    pid = os.fork()
    if pid == 0:
        row[5] = 77
        memory.sessions[9] = 78
        os._exit(0)
    os.waitpid(pid, 0)
    assert (row[5], memory.sessions[9]) == (77, 78)


def test_nothing_at_all_still_has_memory():
    SharedMemory(Configuration(session_table_slots=0), Layout(0), workers=1).close()
