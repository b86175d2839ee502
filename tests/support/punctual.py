"""Tests of timers that a busy machine may be too slow for: what has to happen before a timer fires is timed, and when
it came too late, what follows says nothing and all of it is played again.

    @punctual
    def test_half_an_answer(world):
        with within(0.3):                 # the timeout of the route
            client, node = ...
            node << half
        assert client.read_head().status == 200

A proxy that is late is no trouble: it sees in its order what has happened meanwhile, bytes before the timer.
"""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

TRIES = 20
MARGIN = 0.8  # of a timer may be used up
T = TypeVar("T")


class Late(Exception):
    """The machine was too slow."""


@contextmanager
def within(timer_s: float) -> Iterator[None]:
    """What stands in it has to be over before a timer that begins with it fires; Late when it was not."""
    ends = time.monotonic() + MARGIN * timer_s
    try:
        yield
    except Exception as error:
        if time.monotonic() > ends:
            raise Late(f"{timer_s} s have passed") from error
        raise
    if time.monotonic() > ends:
        raise Late(f"{timer_s} s have passed")


def in_time(play: Callable[[], T], between: Callable[[], object] = lambda: None) -> T:
    """Play it, and again while it is late; what it returns or raises otherwise. `between` puts things in order."""
    for _ in range(TRIES - 1):
        try:
            return play()
        except Late:
            between()
    return play()


def punctual(test: Callable[..., None]) -> Callable[..., None]:
    """A test that is played `in_time`; worlds among its fixtures are settled in between."""

    @functools.wraps(test)
    def played(*arguments: Any, **fixtures: Any) -> None:
        def settle() -> None:
            for each in fixtures.values():
                if hasattr(each, "settle"):
                    each.settle()

        in_time(lambda: test(*arguments, **fixtures), settle)

    return played
