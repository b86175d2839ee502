"""The rows for clusters are part of the tables, and none of them says something else there."""

from fastproxy.config import coverage_clusters as clusters
from fastproxy.config import coverage_tables as tables


def test_the_rows_are_merged():
    for rows, whole in (
        (clusters.ACTED_ON, tables.ACTED_ON),
        (clusters.NEUTRAL, tables.NEUTRAL),
        (clusters.NO_EFFECT, tables.NO_EFFECT),
    ):
        assert rows
        assert {key: whole[key] for key in rows} == rows


def test_one_reason_for_several_fields():
    assert clusters.because("why", "a b") == {"a": "why", "b": "why"}
