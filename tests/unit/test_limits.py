"""The limit on open files."""

import resource

import pytest

from fastproxy.limits import RESERVED_FDS, FileLimit, raise_file_limit


@pytest.fixture
def file_limit():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_becomes_the_hard_limit(file_limit):
    hard = file_limit[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 1, hard))
    assert raise_file_limit() == FileLimit(hard - 1, hard)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


def test_a_refusal_keeps_what_there_is(monkeypatch):
    def refuse(*_: object) -> None:
        raise ValueError("not allowed")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 200))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert raise_file_limit() == FileLimit(100, 100)


def test_a_tunnel_needs_two_descriptors():
    assert FileLimit(1024, RESERVED_FDS + 101).tunnels == 50
    assert FileLimit(10, 10).tunnels == 0


def test_it_says_what_was_raised_and_what_that_allows():
    raised = FileLimit(100, RESERVED_FDS + 100).describe(workers=4)
    assert raised == "open files per process: raised from 100 to 164, enough for 200 tunnels"
    assert FileLimit(164, 164).describe(1) == "open files per process: is 164, enough for 50 tunnels"
