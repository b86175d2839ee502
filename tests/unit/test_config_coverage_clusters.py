"""The rows for clusters are part of the tables, and none of them says something else there."""

from fastproxy.config import coverage_clusters as clusters
from fastproxy.config import coverage_tables as tables


def test_the_rows_are_merged():
    assert set(clusters.ACTED_ON.items()) <= set(tables.ACTED_ON.items())
    assert clusters.NEUTRAL.items() <= tables.NEUTRAL.items()
    assert {key: tables.NO_EFFECT[key] for key in clusters.NO_EFFECT} == clusters.NO_EFFECT
    assert clusters.ACTED_ON
