"""The rows for routes are part of the tables, and none of them says something else there."""

from fastproxy.config import coverage_routes as routes
from fastproxy.config import coverage_tables as tables


def test_the_rows_are_merged():
    assert set(routes.ACTED_ON.items()) <= set(tables.ACTED_ON.items())
    assert routes.NEUTRAL.items() <= tables.NEUTRAL.items()
    assert {key: tables.NO_EFFECT[key] for key in routes.NO_EFFECT} == routes.NO_EFFECT
    assert routes.ACTED_ON
