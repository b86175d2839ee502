"""The memory of the session table: what it may lie in, and which pages of it are used."""

import ctypes
import mmap
import re
from pathlib import Path

import pytest

from fastproxy._sessions import SessionTable, region_bytes
from tests.unit.session_tables import HOST_BYTES, HOSTS, KEY, NOW, TTL, id_of


def test_what_does_not_fill_a_bucket_is_left_alone() -> None:
    region = mmap.mmap(-1, HOST_BYTES + 4096)
    table = SessionTable(memoryview(region)[: HOST_BYTES + 64 * 3 + 63], KEY)
    assert table.capacity == 12
    for number in range(200):
        table.put(id_of(number), HOSTS[0], NOW, TTL)
    assert region[HOST_BYTES : HOST_BYTES + 64 * 3].count(0) < 64 * 3
    assert not any(region[HOST_BYTES + 64 * 3 :])


def test_the_id_is_not_in_the_region_and_needs_the_key() -> None:
    region = mmap.mmap(-1, HOST_BYTES + 4096)
    sid = b"a-session-id-of-20-b"
    SessionTable(region, KEY).put(sid, HOSTS[0], NOW, TTL)
    assert SessionTable(region, KEY).get(sid, NOW) == HOSTS[0]
    assert SessionTable(region, bytes(16)).get(sid, NOW) is None
    assert not any(sid[i : i + 8] in region[:] for i in range(len(sid) - 7))


@pytest.mark.parametrize("size", [0, 64, HOST_BYTES, HOST_BYTES + 63])
def test_a_region_too_small(size: int) -> None:
    with pytest.raises(ValueError, match="region"):
        SessionTable(bytearray(size), KEY)


def test_a_region_off_its_boundary() -> None:
    with pytest.raises(ValueError, match="region"):
        SessionTable(memoryview(mmap.mmap(-1, 2 * HOST_BYTES))[1 : HOST_BYTES + 1025], KEY)


def test_a_region_that_cannot_be_written() -> None:
    with pytest.raises(BufferError):
        SessionTable(bytes(2 * HOST_BYTES), KEY)


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17)])
def test_a_key_of_another_length(key: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        SessionTable(mmap.mmap(-1, 2 * HOST_BYTES), key)


def resident_bytes(region: mmap.mmap) -> int:
    """Resident memory of the mapping, from the kernel's account of this process."""
    start = f"{ctypes.addressof(ctypes.c_char.from_buffer(region)):x}-"
    _, _, rest = Path("/proc/self/smaps").read_text().partition("\n" + start)
    found = re.search(r"^Rss: +(\d+) kB", rest, re.MULTILINE)
    assert found is not None
    return 1024 * int(found[1])


def test_pages_appear_as_they_are_used() -> None:
    region = mmap.mmap(-1, region_bytes(1 << 20))
    table = SessionTable(region, KEY)
    assert table.count(NOW) == table.sweep(0, 1 << 20, NOW) == table.live(HOSTS[0]) == 0
    assert 0 < resident_bytes(region) <= 2 * mmap.PAGESIZE, "the head of the registry, and the line of a host"
    for number in range(10):
        table.put(id_of(number), HOSTS[0], NOW, TTL)
    assert table.count(NOW) == 10
    assert table.sweep(0, 1 << 20, NOW + 9999) == 10
    assert resident_bytes(region) <= 22 * mmap.PAGESIZE
