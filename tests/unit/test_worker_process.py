"""The fork and the record of deaths."""

import logging
import os
import signal
import socket
import time

import pytest

from fastproxy import control
from fastproxy.errors import FastproxyError
from fastproxy.worker_process import (
    CANNOT_START,
    CRASH_LIMIT,
    CRASH_PAUSE_S,
    CRASH_WINDOW_S,
    WorkerProcess,
    describe_status,
    fork,
)
from tests.support.processes import is_alive, wait_until


def exit_code(child, keep_fds=()) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(fork(child, keep_fds), 0)[1])


def test_the_exit_status_is_the_childs():
    assert exit_code(lambda: 7) == 7


def raise_it(error: BaseException):
    raise error


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [(FastproxyError("no log folder"), CANNOT_START, "no log folder"), (ValueError("bug"), 1, "Traceback")],
)
def test_an_error_is_told_and_becomes_a_status(capfd, error, code, text):
    with open(2, "w", closefd=False) as stderr:  # pytest's sys.stderr is a descriptor that the child has closed
        handler = logging.StreamHandler(stderr)
        logging.root.addHandler(handler)
        try:
            assert exit_code(lambda: raise_it(error)) == code
        finally:
            logging.root.removeHandler(handler)
    assert text in capfd.readouterr().err


def test_only_what_is_kept_stays_open():
    kept, other = os.pipe()
    try:

        def child() -> int:
            names = {int(name) for name in os.listdir("/proc/self/fd")}
            open_fds = {fd for fd in names if os.path.exists(f"/proc/self/fd/{fd}")}
            return 0 if open_fds <= {0, 1, 2, kept} and kept in open_fds else 1

        assert exit_code(child, [kept]) == 0
    finally:
        os.close(kept)
        os.close(other)


def test_the_parents_signal_pipe_is_left_alone():
    """asyncio's handlers write to a socket that parent and child share: a signal of the child must not reach it."""
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    reading.setblocking(False)
    before = signal.set_wakeup_fd(writing.fileno())
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    try:

        def child() -> int:
            os.kill(os.getpid(), signal.SIGTERM)
            return 0

        assert exit_code(child, [writing.fileno()]) == -signal.SIGTERM
        with pytest.raises(BlockingIOError):
            reading.recv(1)
    finally:
        signal.signal(signal.SIGTERM, handler)
        signal.set_wakeup_fd(before)
        reading.close()
        writing.close()


def test_the_parents_signal_mask_is_as_before():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    exit_code(lambda: 0)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


@pytest.fixture
def channel():
    ours, theirs = control.channel_pair()
    yield ours
    ours.close()
    theirs.close()


def test_the_end_of_a_process_is_seen_once_it_ended(channel):
    process = WorkerProcess(0)
    reading, writing = os.pipe()
    process.born(fork(lambda: len(os.read(reading, 1)), [reading]), channel)
    assert process.exit_status() is None
    os.write(writing, b"x")
    wait_until(lambda: not is_alive(process.pid), "it ends")
    status = process.exit_status()
    assert status is not None
    assert describe_status(status) == "exit status 1"
    os.close(reading)
    os.close(writing)


def test_a_process_that_somebody_else_waited_for_counts_as_killed(channel):
    process = WorkerProcess(0)
    process.born(fork(lambda: 0, []), channel)
    os.waitpid(process.pid, 0)
    status = process.exit_status()
    assert status is not None
    assert describe_status(status) == "killed by SIGKILL"


def test_deaths_now_and_then_are_followed_at_once():
    now = 0.0
    process = WorkerProcess(0, lambda: now)
    for _ in range(100):
        now += CRASH_WINDOW_S / CRASH_LIMIT
        assert process.died() == 0


def test_a_crash_loop_is_slowed_down():
    process = WorkerProcess(0, time.monotonic)
    assert [process.died() for _ in range(CRASH_LIMIT + 2)] == [0.0] * CRASH_LIMIT + [CRASH_PAUSE_S] * 2
