"""Threads that end when nothing is left to do."""

import threading
from functools import partial

import pytest

from fastproxy.lookup_threads import LookupThreads
from tests.support.processes import wait_until


def test_no_more_threads_than_allowed_and_none_in_the_end():
    threads, release, done = LookupThreads(3), threading.Event(), []
    most = 0

    def work(number: int) -> None:
        nonlocal most
        most = max(most, threads.running)
        release.wait(30)
        done.append(number)

    for number in range(20):
        threads.run(partial(work, number))
    assert threads.running == 3
    release.set()
    wait_until(lambda: threads.running == 0, "the threads end")
    assert sorted(done) == list(range(20))
    assert most == 3


def test_no_more_work_than_allowed_waits():
    threads, release = LookupThreads(1, 2), threading.Event()
    started = threading.Event()

    def work() -> None:
        started.set()
        release.wait(30)

    threads.run(work)
    assert started.wait(30)
    for _ in range(2):
        threads.run(lambda: None)
    with pytest.raises(OSError, match="too many lookups"):
        threads.run(lambda: None)
    release.set()
    wait_until(lambda: threads.running == 0, "the threads end")


def wait_for(event: threading.Event) -> None:
    event.wait(30)


def refuse(_):
    raise RuntimeError("can't start new thread")


def test_a_thread_that_cannot_be_had(monkeypatch):
    threads, done = LookupThreads(2), threading.Event()
    with monkeypatch.context() as change:
        change.setattr(threading.Thread, "start", refuse)
        with pytest.raises(OSError, match="can't start"):
            threads.run(lambda: None)
    assert threads.running == 0
    threads.run(done.set)
    assert done.wait(30)


def test_a_thread_that_cannot_be_had_is_not_needed_while_another_runs(monkeypatch):
    threads, release, done = LookupThreads(2), threading.Event(), threading.Event()
    threads.run(partial(wait_for, release))
    with monkeypatch.context() as change:
        change.setattr(threading.Thread, "start", refuse)
        threads.run(done.set)
    release.set()
    assert done.wait(30)
