"""Memory of processes and control groups, from the kernel's files."""

import mmap
import os

import pytest

from fastproxy.process_memory import cgroup_bytes, heap_bytes


def test_what_a_process_takes_for_itself_is_counted_and_what_it_shares_is_not():
    size = 64 << 20
    before = heap_bytes([os.getpid()])
    shared = mmap.mmap(-1, size)
    shared.write(bytes(size))
    with_shared = heap_bytes([os.getpid()])
    own = bytearray(b"x") * size
    with_own = heap_bytes([os.getpid()])
    assert before > 0
    assert with_shared - before < size // 2 < size * 3 // 4 < with_own - with_shared
    shared.close()
    del own


def test_a_process_that_has_ended_counts_nothing():
    assert heap_bytes([1 << 22]) == 0


def test_a_control_group_of_either_version(tmp_path):
    two, one = tmp_path / "2", tmp_path / "1"
    two.mkdir()
    one.mkdir()
    (one / "memory.usage_in_bytes").write_text("5\n")
    (one / "memory.limit_in_bytes").write_text("10\n")
    assert cgroup_bytes(two, one) == (5, 10)
    (two / "memory.current").write_text("7\n")
    (two / "memory.max").write_text("max\n")
    assert cgroup_bytes(two, one) == (7, 1 << 63)


def test_without_a_control_group_nothing_is_said(tmp_path):
    with pytest.raises(OSError, match="memory"):
        cgroup_bytes(tmp_path, tmp_path)
