"""The keys of a v1 file: each is acted on, warned of or refused."""

import json

import pytest

from fastproxy.config import v1
from fastproxy.config.v1_kinds import Flag, ListOf, Text, Whole
from fastproxy.config.v1_schema import (
    ADMIN,
    CLUSTER,
    CLUSTER_MANAGER,
    LISTENER,
    MANAGER,
    ROUTE,
    ROUTE_CONFIG,
    TOP,
    VIRTUAL_HOST,
)
from tests.unit.config_files import errors, tree, warnings
from tests.unit.config_files import v1 as v1_file

PLACES = {
    "TOP": (TOP, lambda d: d),
    "ADMIN": (ADMIN, lambda d: d["admin"]),
    "LISTENER": (LISTENER, lambda d: d["listeners"][0]),
    "MANAGER": (MANAGER, lambda d: d["listeners"][0]["filters"][0]["config"]),
    "ROUTE_CONFIG": (ROUTE_CONFIG, lambda d: d["listeners"][0]["filters"][0]["config"]["route_config"]),
    "VIRTUAL_HOST": (
        VIRTUAL_HOST,
        lambda d: d["listeners"][0]["filters"][0]["config"]["route_config"]["virtual_hosts"][0],
    ),
    "ROUTE": (
        ROUTE,
        lambda d: d["listeners"][0]["filters"][0]["config"]["route_config"]["virtual_hosts"][0]["routes"][0],
    ),
    "CLUSTER_MANAGER": (CLUSTER_MANAGER, lambda d: d["cluster_manager"]),
    "CLUSTER": (CLUSTER, lambda d: d["cluster_manager"]["clusters"][0]),
}
KEYS = [
    (place, key)
    for place, (table, _) in PLACES.items()
    for key, kind in (table.keys or {}).items()
    if kind.refused is not None or kind.ignored is not None
]


def value_of(kind):
    """A value of this kind that is not neutral."""
    if isinstance(kind, Flag):
        return not kind.neutral
    if isinstance(kind, Text):
        return next((choice for choice in kind.choices if choice != kind.neutral), "x")
    if isinstance(kind, Whole):
        return kind.minimum
    return [] if isinstance(kind, ListOf) else {}


@pytest.mark.parametrize(("place", "key"), KEYS)
def test_what_is_not_acted_on_is_said(place, key):
    document = v1_file()
    table, find = PLACES[place]
    kind = (table.keys or {})[key]
    find(document)[key] = value_of(kind)
    root, report = tree(json.dumps(document, indent=1))
    v1.translate(root, report)
    problems = errors(report) if kind.refused is not None else warnings(report)
    assert [path.rpartition(".")[2] for path, _ in problems] == [key]
