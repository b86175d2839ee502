"""Hash policies of a v3 file as the model has them, and what is wrong with one."""

import pytest

from fastproxy.model import (
    CookieHashPolicy,
    FilterStateHashPolicy,
    HeaderHashPolicy,
    QueryParameterHashPolicy,
    SourceIpHashPolicy,
)
from tests.unit.config_files import V3_ROUTE_PATH, load, refused, said, v3_file, v3_route

PATH = f"{V3_ROUTE_PATH}.route.hash_policy[0]"


def with_policies(*policies):
    document = v3_file()
    v3_route(document)["route"]["hash_policy"] = list(policies)
    return document


def policies_of(folder, *policies):
    found = load(folder, with_policies(*policies)).configuration.listeners[0].manager.route_config
    return found.virtual_hosts[0].routes[0].hash_policies


@pytest.mark.parametrize(
    ("written", "built"),
    [
        ({"header": {"header_name": "X-User"}}, HeaderHashPolicy("x-user")),
        (
            {"header": {"header_name": "a", "regex_rewrite": {"pattern": {"regex": "b+"}, "substitution": "\\0c"}}},
            HeaderHashPolicy("a", regex="b+", substitution="\\0c"),
        ),
        ({"cookie": {"name": "sid"}, "terminal": True}, CookieHashPolicy("sid", True)),
        (
            {"cookie": {"name": "a b", "ttl": "1.5s", "path": "/p", "attributes": [{"name": "Secure"}]}},
            CookieHashPolicy("a b", ttl_s=1.5, path="/p", attributes=(("Secure", ""),)),
        ),
        ({"cookie": {"name": "sid", "ttl": "0s"}}, CookieHashPolicy("sid", ttl_s=0.0)),
        ({"query_parameter": {"name": "sid"}}, QueryParameterHashPolicy("sid")),
        ({"connection_properties": {"source_ip": True}, "terminal": True}, SourceIpHashPolicy(True)),
        ({"filter_state": {"key": "k"}}, FilterStateHashPolicy("k")),
    ],
)
def test_each_kind(tmp_path, written, built):
    assert policies_of(tmp_path, written) == (built,)


def test_order_and_what_hashes_nothing(tmp_path):
    off = {"connection_properties": {"source_ip": False}}
    written = [{"query_parameter": {"name": "b"}}, off, {"cookie": {"name": "a"}}]
    assert policies_of(tmp_path, *written) == (QueryParameterHashPolicy("b"), CookieHashPolicy("a"))


def test_filter_state_is_warned_of(tmp_path):
    warnings = load(tmp_path, with_policies({"filter_state": {"key": "k"}})).warnings
    assert (f"{PATH}.filter_state", "has no effect here: no filter leaves anything in the filter state") in said(
        warnings
    )


@pytest.mark.parametrize(
    ("rewrite", "path"),
    [
        ({"pattern": {"regex": "("}}, "pattern.regex"),
        ({"pattern": {"regex": "a(?=b)"}}, "pattern.regex"),
        ({"pattern": {"regex": "a"}, "substitution": "\\x"}, "substitution"),
    ],
)
def test_a_rewriting_that_is_none(tmp_path, rewrite, path):
    document = with_policies({"header": {"header_name": "a", "regex_rewrite": rewrite}})
    (problem,) = refused(tmp_path, document)
    assert problem.path == f"{PATH}.header.regex_rewrite.{path}"
    assert problem.line > 0
    assert problem.column > 0
