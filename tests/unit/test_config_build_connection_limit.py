"""Envoy's connection_limit in front of the filter of a chain."""

import pytest

from fastproxy.model import ConnectionLimit
from tests.unit.config_files import EXTENSIONS, errors, warnings
from tests.unit.test_config_build_filter_chains import LISTENER, built, tcp

CHAIN = f"{LISTENER}.filter_chains[0]"


def limit(**fields):
    typed = {"@type": f"{EXTENSIONS}filters.network.connection_limit.v3.ConnectionLimit", "stat_prefix": "l"}
    return {"name": "limit", "typed_config": {**typed, "max_connections": 5, **fields}}


def chain(*filters):
    listener, report = built(lambda found: found["filter_chains"][0].update(filters=[*filters, tcp()]))
    return listener.filter.connection_limit, report


def test_a_limit():
    found, report = chain(limit())
    assert (found, errors(report), warnings(report)) == (ConnectionLimit("l", 5), [], [])
    assert chain(limit(delay="0.25s"))[0] == ConnectionLimit("l", 5, 0.25)
    assert chain()[0] is None


def test_in_front_of_a_connection_manager():
    listener, report = built(lambda found: found["filter_chains"][0]["filters"].insert(0, limit()))
    assert (listener.manager.connection_limit, errors(report)) == (ConnectionLimit("l", 5), [])


def test_one_that_is_switched_off():
    found, report = chain(limit(runtime_enabled={"default_value": False, "runtime_key": "k"}))
    assert found is None
    assert warnings(report) == [(f"{CHAIN}.filters[0].typed_config.runtime_enabled", "switches the filter off")]
    assert chain(limit(runtime_enabled={"default_value": True, "runtime_key": "k"}))[0] == ConnectionLimit("l", 5)


@pytest.mark.parametrize(
    ("filters", "path", "message"),
    [
        ([limit(max_connections=None)], ".filters[0].typed_config", '"max_connections" is missing'),
        ([limit(), limit()], ".filters[1]", "there is a connection_limit already"),
    ],
)
def test_mistakes(filters, path, message):
    found = errors(chain(*filters)[1])
    assert any(where == CHAIN + path and message in words for where, words in found), found
