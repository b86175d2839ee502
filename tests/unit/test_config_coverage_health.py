"""The rows for health are part of the tables, and none of them says something else there."""

from fastproxy.config import coverage_health as health
from fastproxy.config import coverage_tables as tables


def test_the_rows_are_merged():
    assert set(health.ACTED_ON.items()) <= set(tables.ACTED_ON.items())
    assert {key: tables.NO_EFFECT[key] for key in health.NO_EFFECT} == health.NO_EFFECT
    assert health.ACTED_ON
