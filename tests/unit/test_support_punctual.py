"""Tests that a busy machine was too slow for are played again, and no others."""

import time

import pytest

from tests.support import punctual
from tests.support.punctual import Late, in_time, within


def test_what_is_in_time_is_played_once():
    played = []

    def play() -> str:
        with within(10.0):
            played.append(1)
        return "done"

    assert (in_time(play), len(played)) == ("done", 1)


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_late_is_played_again_whatever_came_of_it(fails):
    played = []

    def play() -> None:
        played.append(1)
        with within(0.01 if len(played) < 3 else 10.0):
            time.sleep(0.01)
            assert len(played) == 3 or not fails

    in_time(play)
    assert len(played) == 3


def test_what_fails_in_time_fails():
    played = []

    def play() -> None:
        with within(10.0):
            played.append(1)
            raise AssertionError("wrong")

    with pytest.raises(AssertionError, match="wrong"):
        in_time(play)
    assert len(played) == 1


def test_what_is_always_late_fails():
    def play() -> None:
        with within(0.0):
            time.sleep(0.0001)

    with pytest.raises(Late):
        in_time(play)


def test_worlds_are_settled_in_between():
    class World:
        settled = 0

        def settle(self) -> None:
            self.settled += 1

    @punctual.punctual
    def test(world: World) -> None:
        with within(0.0 if world.settled < 2 else 10.0):
            time.sleep(0.0001)

    world = World()
    test(world=world)
    assert world.settled == 2
