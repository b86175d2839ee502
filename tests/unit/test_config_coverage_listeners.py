"""The rows for listeners are part of the tables, and none of them says something else there."""

from fastproxy.config import coverage_listeners as listeners
from fastproxy.config import coverage_tables as tables


def test_the_rows_are_merged():
    assert listeners.ACTED_ON.items() <= tables.ACTED_ON.items()
    assert listeners.NEUTRAL.items() <= tables.NEUTRAL.items()
    assert all(tables.NO_EFFECT[key] == row for key, row in listeners.NO_EFFECT.items())
    assert {} not in (listeners.ACTED_ON, listeners.NEUTRAL, listeners.NO_EFFECT)
