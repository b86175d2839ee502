"""Advice about what the world can reach."""

import pytest

from tests.unit.config_files import V3_MANAGER_PATH, advised, v3_listener, v3_manager


def listen(address, port=80, **manager):
    def change(document):
        v3_listener(document)["address"]["socket_address"] = {"address": address, "port_value": port}
        v3_manager(document).update(manager)

    return change


def two_routes(document):
    routes = [{"match": {"prefix": prefix}, "route": {"cluster": "nodes"}} for prefix in ("/a", "/")]
    v3_manager(document)["route_config"]["virtual_hosts"][0]["routes"] = routes


UNSET = (
    "FP121",
    V3_MANAGER_PATH,
    "clients from anywhere can write their own address into x-forwarded-for; "
    "set use_remote_address: true, or false behind a proxy that is trusted",
)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "8.8.8.8"])
def test_an_open_admin(address):
    path = "admin.address.socket_address.address"
    message = "everybody who can reach this port can stop the proxy and read its statistics; use 127.0.0.1"
    change = lambda d: d["admin"]["address"]["socket_address"].update(address=address)  # noqa: E731
    assert advised(change) == [("FP120", path, message)]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "172.16.3.4"])
def test_an_admin_of_ones_own(address):
    assert advised(lambda d: d["admin"]["address"]["socket_address"].update(address=address)) == []


@pytest.mark.parametrize(("address", "port"), [("0.0.0.0", 80), ("::", 443), ("8.8.8.8", 9002)])
def test_an_edge_that_says_nothing(address, port):
    assert advised(listen(address, port)) == [UNSET]


@pytest.mark.parametrize(
    "change",
    [
        listen("0.0.0.0", 9002),
        listen("10.0.0.1", 80),
        listen("0.0.0.0", 80, use_remote_address=True),
        listen("0.0.0.0", 80, use_remote_address=False),
    ],
)
def test_no_edge_or_one_that_is_set(change):
    assert advised(change) == []


def test_paths_in_two_ways():
    def change(document):
        listen("0.0.0.0", 80, use_remote_address=True)(document)
        two_routes(document)

    message = "a client can name a path in other ways (/a/../b) and so choose another route; set normalize_path: true"
    assert advised(change) == [("FP122", V3_MANAGER_PATH, message)]


@pytest.mark.parametrize("settings", [{"normalize_path": False}, {"use_remote_address": False}])
def test_paths_that_somebody_thought_of(settings):
    def change(document):
        listen("0.0.0.0", 80, **{"use_remote_address": True, **settings})(document)
        two_routes(document)

    assert advised(change) == []
