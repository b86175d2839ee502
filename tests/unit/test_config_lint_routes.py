"""Advice about routes and domains that nobody reaches."""

import pytest

from tests.unit.config_files import V3_ROUTE_PATH, advised, v3_listener, v3_manager

HOST = V3_ROUTE_PATH.removesuffix(".routes[0]")


def host(document):
    return v3_manager(document)["route_config"]["virtual_hosts"][0]


def matches(*found):
    return lambda d: host(d).update(routes=[{"match": match, "route": {"cluster": "nodes"}} for match in found])


def domains(*found, **manager):
    def change(document):
        host(document)["domains"] = list(found)
        v3_manager(document).update(manager)

    return change


@pytest.mark.parametrize(
    "found",
    [
        ({"prefix": "/"}, {"prefix": "/api"}),
        ({"prefix": "/api"}, {"path": "/api/x"}),
        ({"path": "/a"}, {"path": "/a"}),
        ({"prefix": "/A", "case_sensitive": False}, {"prefix": "/ab"}),
        ({"prefix": "/"}, {"safe_regex": {"regex": "/x"}}),
        ({"prefix": "/"}, {"prefix": "/a", "headers": [{"name": "x", "present_match": True}]}),
        ({"prefix": ""}, {"prefix": "/a", "case_sensitive": False}),
    ],
)
def test_a_route_behind_one_that_takes_all(found):
    message = f"no request comes here: {V3_ROUTE_PATH} takes them all; put this route before it"
    assert advised(matches(*found)) == [("FP118", f"{HOST}.routes[1]", message)]


@pytest.mark.parametrize(
    "found",
    [
        ({"prefix": "/api"}, {"prefix": "/"}),
        ({"prefix": "/", "headers": [{"name": "x", "present_match": True}]}, {"prefix": "/"}),
        ({"path": "/a"}, {"prefix": "/a"}),
        ({"prefix": "/a"}, {"prefix": "/A"}),
        ({"prefix": "/a"}, {"prefix": "/a", "case_sensitive": False}),
        ({"safe_regex": {"regex": ".*"}}, {"prefix": "/"}),
        ({"prefix": "/a"}, {"safe_regex": {"regex": "/a.*"}}),
    ],
)
def test_routes_in_good_order(found):
    assert advised(matches(*found)) == []


def test_each_virtual_host_for_itself():
    def change(document):
        other = {**host(document), "name": "other", "domains": ["other:9002"]}
        v3_manager(document)["route_config"]["virtual_hosts"].append(other)

    assert advised(change) == []


def test_a_domain_without_the_port():
    message = 'clients of port 9002 ask for "a.com:9002", which is no domain here; add it, or strip_any_host_port'
    assert advised(domains("a.com")) == [("FP119", f"{HOST}.domains[0]", message)]


@pytest.mark.parametrize(
    "change",
    [
        domains("a.com", "a.com:9002"),
        domains("a.com", "*"),
        domains("a.*"),
        domains("a.com", strip_any_host_port=True),
        lambda d: (domains("a.com")(d), v3_listener(d)["address"]["socket_address"].update(port_value=80)),
    ],
)
def test_domains_that_are_reached(change):
    assert advised(change) == []
