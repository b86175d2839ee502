"""The priorities of retries, by those that were tried."""

from fastproxy.previous_priorities import Loads, PreviousPriorities

ALL: Loads = ((100, 100, 100), (0, 0, 0))


def play(frequency: int, tried: list[int], available: Loads = ALL) -> list[Loads | None]:
    """What is said before each retry, where these priorities are tried in turn."""
    priorities = PreviousPriorities(frequency)
    found = []
    for priority in tried:
        priorities.note(priority)
        found.append(priorities.loads(available))
    return found


def to(*percents: int) -> Loads:
    return percents, (0,) * len(percents)


def test_each_try_leaves_its_priority_out_until_none_is_left() -> None:
    assert play(1, [0, 1, 2, 0]) == [to(0, 100, 0), to(0, 0, 100), None, to(0, 100, 0)]


def test_every_second_try_does() -> None:
    assert play(2, [0, 0, 1, 1, 2, 2, 0]) == [None, *[to(0, 100, 0)] * 2, *[to(0, 0, 100)] * 2, None, None]


def test_what_was_asked_before_is_said_again() -> None:
    """A host is chosen several times for one try."""
    priorities = PreviousPriorities(1)
    priorities.note(0)
    assert [priorities.loads(ALL) for _ in range(3)] == [to(0, 100, 0)] * 3
    for each in (1, 2):
        priorities.note(each)
    assert [priorities.loads(ALL) for _ in range(2)] == [None, None]


def test_several_tries_at_once() -> None:
    """Hosts that could not be connected are tries as well; they do not pass an update over."""
    priorities = PreviousPriorities(2)
    for each in (0, 0, 1):
        priorities.note(each)
    assert priorities.loads(ALL) == to(0, 0, 100)


def test_rounding_leaves_the_rest_to_the_first() -> None:
    assert play(1, [0], ((100, 1, 30, 30, 30), (0,) * 5)) == [to(0, 2, 34, 32, 32)]


def test_degraded_hosts_take_what_the_healthy_cannot() -> None:
    assert play(1, [0], ((100, 30, 0), (0, 0, 70))) == [((0, 30, 0), (0, 0, 70))]
    assert play(1, [1], ((0, 0), (100, 100))) == [((0, 0), (100, 0))]


def test_there_is_nobody_else() -> None:
    assert play(1, [0, 0], ((100,), (0,))) == [None, None]
    assert play(1, [0, 0], ((100, 0), (0, 0))) == [None, None]
    assert play(1, [0], ((0, 0), (0, 0))) == [None]


def test_health_that_changes_counts_at_once() -> None:
    priorities = PreviousPriorities(1)
    priorities.note(0)
    assert priorities.loads(ALL) == to(0, 100, 0)
    assert priorities.loads(((100, 0, 100), (0, 0, 0))) == to(0, 0, 100)
    assert priorities.loads(((100, 100), (0, 0))) == to(0, 100)
