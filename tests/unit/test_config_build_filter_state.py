"""What the filters `set_filter_state` of a v3 file become, and what is wrong with one."""

import pytest

from fastproxy.model import FilterStateHashPolicy, FilterStateValue
from tests.unit.config_files import (
    EXTENSIONS,
    V3_MANAGER_PATH,
    V3_ROUTE_PATH,
    load,
    refused,
    said,
    v3_file,
    v3_manager,
    v3_route,
)

VALUE = f"{V3_MANAGER_PATH}.http_filters[0].typed_config.on_request_headers[0]"
ROUTER = {"name": "router", "typed_config": {"@type": f"{EXTENSIONS}filters.http.router.v3.Router"}}


def value(text="%REQ(x-user)%", factory="envoy.hashable_string", key="k", **fields):
    format_string = {"text_format_source": {"inline_string": text}}
    return {"object_key": key, "factory_key": factory, "format_string": format_string, **fields}


def set_filter_state(*values, **fields):
    config = {"@type": f"{EXTENSIONS}filters.http.set_filter_state.v3.Config", "on_request_headers": list(values)}
    return {"name": "state", "typed_config": config, **fields}


def document(*filters):
    made = v3_file()
    v3_manager(made)["http_filters"] = [*filters, ROUTER]
    return made


def values_of(folder, *filters):
    return load(folder, document(*filters)).configuration.listeners[0].manager.filter_state


def test_values_stand_in_the_order_of_their_filters(tmp_path):
    first = set_filter_state(value(), value("a", "envoy.string", "b", read_only=True, skip_if_empty=True))
    old = value(format_string={"text_format": "x", "omit_empty_values": True})
    assert values_of(tmp_path, first, set_filter_state(old)) == (
        FilterStateValue("k", "%REQ(x-user)%", is_hashable=True),
        FilterStateValue("b", "a", read_only=True, skip_if_empty=True),
        FilterStateValue("k", "x", is_hashable=True, omit_empty_values=True),
    )


def test_without_a_factory_the_key_names_it(tmp_path):
    assert values_of(tmp_path, set_filter_state(value(factory="", key="envoy.hashable_string"))) == (
        FilterStateValue("envoy.hashable_string", "%REQ(x-user)%", is_hashable=True),
    )


def test_a_filter_that_is_disabled_leaves_nothing(tmp_path):
    assert values_of(tmp_path, set_filter_state(value(), disabled=True)) == ()


def test_sharing_with_the_upstream_is_warned_of(tmp_path):
    found = load(tmp_path, document(set_filter_state(value(shared_with_upstream="ONCE"))))
    message = "has no effect here: connections to hosts know no filter state"
    assert (f"{VALUE}.shared_with_upstream", message) in said(found.warnings)


@pytest.mark.parametrize(
    ("filters", "key", "is_warned_of"),
    [
        ([set_filter_state(value())], "k", False),
        ([set_filter_state(value())], "other", True),
        ([set_filter_state(value(factory="envoy.string"))], "k", True),
        ([set_filter_state(value(), disabled=True)], "k", True),
    ],
)
def test_policies_with_nothing_to_hash_are_warned_of(tmp_path, filters, key, is_warned_of):
    made = document(*filters)
    v3_route(made)["route"]["hash_policy"] = [{"filter_state": {"key": key}}]
    found = load(tmp_path, made)
    route = found.configuration.listeners[0].manager.route_config.virtual_hosts[0].routes[0]
    assert route.hash_policies == (FilterStateHashPolicy(key),)
    message = f'has no effect here: no filter leaves anything to hash as "{key}" in the filter state'
    place = f"{V3_ROUTE_PATH}.route.hash_policy[0].filter_state"
    assert ((place, message) in said(found.warnings)) is is_warned_of


@pytest.mark.parametrize(
    ("wrong", "path", "words"),
    [
        (
            value(factory="envoy.tcp_proxy.cluster"),
            "factory_key",
            'no objects of the factory "envoy.tcp_proxy.cluster"',
        ),
        (value(factory="envoy.strin"), "factory_key", 'did you mean "envoy.string"?'),
        (value(factory=""), "object_key", 'no objects of the factory "k" are made'),
        (value("%REQ(x-user"), "format_string.text_format_source.inline_string", "no operator begins with"),
        (value("%REQ(a)%" * 65), "", "at most 64 headers may be named"),
        (value(format_string={"json_format": {"a": "b"}}), "format_string.json_format", "not supported"),
        (
            value(format_string={"text_format_source": {"filename": "f"}}),
            "format_string.text_format_source.filename",
            "",
        ),
        (value(key=""), "object_key", ""),
    ],
)
def test_mistakes(tmp_path, wrong, path, words):
    problems = refused(tmp_path, document(set_filter_state(wrong)))
    expected = f"{VALUE}.{path}".rstrip(".")
    assert [each for each in problems if each.path == expected and words in str(each) and each.line > 0], problems
