"""The rows for the connection manager are part of the tables, and none of them says something else there."""

from fastproxy.config import coverage_manager as manager
from fastproxy.config import coverage_tables as tables


def test_the_rows_are_merged():
    assert set(manager.ACTED_ON.items()) <= set(tables.ACTED_ON.items())
    assert manager.NEUTRAL.items() <= tables.NEUTRAL.items()
    assert {key: tables.NO_EFFECT[key] for key in manager.NO_EFFECT} == manager.NO_EFFECT
    assert manager.ACTED_ON
