"""The file behind a log: whole lines, bounded, never waiting, opened anew on demand."""

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastproxy.log_file import LogFile

MAX_BYTES = 1 << 20
FLUSH_BYTES = 1 << 16


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def line(number: int, length: int = 100) -> bytes:
    return b"%08d " % number + b"x" * (length - 10) + b"\n"


def test_lines_appear_when_flushed(path: Path) -> None:
    log = LogFile(str(path))
    log.append(b"one\n")
    log.append(b"two\n")
    assert path.read_bytes() == b""
    assert log.held_bytes == 8
    log.flush()
    assert path.read_bytes() == b"one\ntwo\n"
    assert log.held_bytes == 0
    assert log.lines_lost == 0


def test_a_new_file_is_not_for_everybody(path: Path) -> None:
    mask = os.umask(0)
    try:
        LogFile(str(path))
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_was_there_stays(path: Path) -> None:
    path.write_bytes(b"old\n")
    log = LogFile(str(path))
    log.append(b"new\n")
    log.flush()
    assert path.read_bytes() == b"old\nnew\n"


def test_a_full_buffer_is_written_at_once(path: Path) -> None:
    log = LogFile(str(path))
    for number in range(FLUSH_BYTES // 100 + 1):
        log.append(line(number))
    written = path.read_bytes()
    assert len(written) >= FLUSH_BYTES - 100
    assert written.endswith(b"\n")
    assert log.held_bytes < FLUSH_BYTES


def test_a_line_longer_than_the_buffer(path: Path) -> None:
    log = LogFile(str(path))
    log.append(b"short\n")
    long = b"y" * (3 * FLUSH_BYTES) + b"\n"
    log.append(long)
    log.flush()
    assert path.read_bytes() == b"short\n" + long


def test_what_is_held_is_written_when_the_log_goes(path: Path) -> None:
    log = LogFile(str(path))
    log.append(b"last\n")
    del log
    assert path.read_bytes() == b"last\n"


def test_close(path: Path) -> None:
    log = LogFile(str(path))
    log.append(b"one\n")
    log.close()
    assert path.read_bytes() == b"one\n"
    log.append(b"two\n")
    log.flush()
    log.close()
    assert path.read_bytes() == b"one\n"
    assert log.lines_lost == 1


def test_the_descriptor_is_not_inherited(path: Path) -> None:
    log = LogFile(str(path))
    (fd,) = [fd for fd in map(int, os.listdir("/proc/self/fd")) if leads_to(fd) == str(path)]
    assert not os.get_inheritable(fd)
    log.close()
    assert leads_to(fd) != str(path)


def leads_to(fd: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""


def test_a_path_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        LogFile(str(tmp_path / "none" / "access.log"))
    assert caught.value.filename == str(tmp_path / "none" / "access.log")
    with pytest.raises(IsADirectoryError):
        LogFile(str(tmp_path))


# Rotation.


def test_reopen_after_a_move(path: Path) -> None:
    log = LogFile(str(path))
    log.append(b"one\n")
    log.flush()
    moved = path.rename(path.with_suffix(".1"))
    log.append(b"two\n")
    log.flush()
    assert moved.read_bytes() == b"one\ntwo\n", "until it is reopened the log follows the file"
    log.append(b"three\n")
    log.reopen()
    log.flush()
    assert moved.read_bytes() == b"one\ntwo\n"
    assert path.read_bytes() == b"three\n"


def test_a_reopen_that_fails_keeps_the_old_file(path: Path) -> None:
    folder = path.parent / "logs"
    folder.mkdir()
    log = LogFile(str(folder / "access.log"))
    moved = folder.rename(path.parent / "moved") / "access.log"
    with pytest.raises(FileNotFoundError):
        log.reopen()
    log.append(b"still here\n")
    log.flush()
    assert moved.read_bytes() == b"still here\n"
    assert log.lines_lost == 0


def test_reopen_leaks_no_descriptor(path: Path) -> None:
    log = LogFile(str(path))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        log.reopen()
    assert len(os.listdir("/proc/self/fd")) == before


# Trouble.


def test_a_full_disk_costs_lines_not_memory() -> None:
    log = LogFile("/dev/full")
    total = 2 * MAX_BYTES // 100
    for number in range(total):
        log.append(line(number))
    log.flush()
    assert MAX_BYTES - 100 <= log.held_bytes <= MAX_BYTES
    assert log.lines_lost == total - log.held_bytes // 100
    log.close()
    assert log.lines_lost == total


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """The reading end of a small named pipe, and its path."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    yield reader, str(path)
    os.close(reader)


def read_all(reader: int) -> bytes:
    found = b""
    try:
        while piece := os.read(reader, 65536):
            found += piece
    except BlockingIOError:
        pass
    return found


def test_a_reader_that_is_slow(pipe: tuple[int, str]) -> None:
    reader, path = pipe
    log = LogFile(path)
    for number in range(2000):
        log.append(line(number))
    log.flush()
    received = b""
    while log.held_bytes:
        piece = read_all(reader)
        assert piece.endswith(b"\n"), "a line was cut"
        received += piece
        log.flush()
    received += read_all(reader)
    assert log.lines_lost == 0
    assert received == b"".join(map(line, range(2000)))


def test_a_reader_that_stands_still_costs_the_newest_lines(pipe: tuple[int, str]) -> None:
    reader, path = pipe
    log = LogFile(path)
    total = 2 * MAX_BYTES // 100
    for number in range(total):
        log.append(line(number))
    received = b""
    while log.held_bytes:
        received += read_all(reader)
        log.flush()
    received += read_all(reader)
    kept = total - log.lines_lost
    assert log.lines_lost > 0
    assert received == b"".join(map(line, range(kept)))


def test_a_reader_that_goes_away(pipe: tuple[int, str]) -> None:
    reader, path = pipe
    log = LogFile(path)
    other = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log.append(b"one\n")
    os.close(other)
    os.dup2(os.open(os.devnull, os.O_RDONLY), reader)
    log.flush()
    assert log.held_bytes == 4


def test_a_line_cut_by_a_reopen_is_lost_not_split(pipe: tuple[int, str]) -> None:
    """A line too long to be atomic went out in part; its rest does not open the next file."""
    reader, path = pipe
    log = LogFile(path)
    log.append(b"z" * 9000 + b"\n")
    log.append(b"next\n")
    log.flush()
    assert 0 < log.held_bytes < 9000
    os.rename(path, path + ".old")
    log.reopen()
    log.flush()
    assert Path(path).read_bytes() == b"next\n"
    assert log.lines_lost == 1
    assert set(read_all(reader)) == {ord("z")}


def append_many(path: str, letter: bytes, count: int) -> None:
    log = LogFile(path)
    for _ in range(count):
        log.append(letter * 199 + b"\n")
    log.flush()


def test_two_processes_never_cut_each_others_lines(path: Path) -> None:
    children = []
    for letter in (b"a", b"b"):
        pid = os.fork()
        if pid == 0:
            try:
                append_many(str(path), letter, 5000)
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    lines = path.read_bytes().splitlines()
    assert sorted(set(lines)) == [b"a" * 199, b"b" * 199]
    assert [lines.count(b"a" * 199), lines.count(b"b" * 199)] == [5000, 5000]


# Standard streams, in a child whose descriptors they are.


def in_child_with_stdout(fd: int, name: str = "/dev/stdout") -> int:
    """Exit status of a process that logs one line to a standard stream that leads to `fd`."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.dup2(fd, 1 if name == "/dev/stdout" else 2)
            log = LogFile(name)
            log.append(b"hello\n")
            log.flush()
            status = int(log.held_bytes)
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/stderr"])
def test_a_standard_stream_that_is_a_pipe(name: str) -> None:
    reader, writer = os.pipe()
    assert in_child_with_stdout(writer, name) == 0
    assert os.read(reader, 100) == b"hello\n"
    assert os.get_blocking(writer), "the other holders of the pipe keep their mode"
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/stderr"])
def test_a_standard_stream_that_is_a_socket(name: str) -> None:
    """As under systemd's journal; such a stream cannot be opened by its name."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert in_child_with_stdout(theirs.fileno(), name) == 0
        assert ours.recv(100) == b"hello\n"


def test_a_standard_stream_that_is_a_file(path: Path) -> None:
    with path.open("wb") as file:
        assert in_child_with_stdout(file.fileno()) == 0
    assert path.read_bytes() == b"hello\n"


def test_the_error_has_its_number(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device") as caught:
        LogFile(str(tmp_path / "pipe"))
    assert caught.value.errno == errno.ENXIO, "a pipe that nobody reads"


def test_writes_are_counted_where_they_are_told_to(tmp_path: Path) -> None:
    row = memoryview(bytearray(8 * 8)).cast("Q")
    link = tmp_path / "log"
    link.symlink_to("/dev/full")
    log = LogFile(str(link))
    log.count_in(row, 2)
    log.append(b"one\n")
    log.flush()
    assert list(row) == [0, 0, 0, 1, 0, 0, 0, 0]
    link.unlink()
    link.symlink_to(tmp_path)
    with pytest.raises(IsADirectoryError):
        log.reopen()
    link.unlink()
    log.reopen()
    log.flush()
    assert link.read_bytes() == b"one\n"
    assert list(row) == [0, 0, 1, 1, 1, 0, 0, 0]
