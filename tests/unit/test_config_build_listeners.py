"""Addresses, sockets and listener filters in the model, and what is wrong with them."""

import pytest

from fastproxy.config.build_listeners import build_listeners
from fastproxy.model import Address, Admin, SocketOption
from tests.unit.config_files import EXTENSIONS, errors, load, refused, v3_file, v3_listener, view, warnings
from tests.unit.yaml_lines import complaints

LISTENER = "static_resources.listeners[0]"
FILTERS = f"{EXTENSIONS}filters.listener."


def built(change):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    assert errors(report) == []
    return build_listeners(bootstrap, frozenset({"nodes"}), report), report


def pipe(path, **fields):
    return {"pipe": {"path": path, **fields}}


def ip(address, port, **fields):
    return {"socket_address": {"address": address, "port_value": port, **fields}}


def test_a_unix_socket():
    (listener,), _ = built(lambda d: v3_listener(d).update(address=pipe("/run/a.sock", mode=0o600)))
    assert (listener.address, listener.address.mode) == (Address("", 0, "/run/a.sock"), 0o600)
    (listener,), _ = built(lambda d: (v3_listener(d).update(address=pipe("@a")), v3_listener(d).pop("name")))
    assert listener.name == "@a"


def test_how_the_socket_is_made():
    options = [
        {"level": 6, "name": 9, "int_value": 1},
        {"level": 1, "name": 25, "buf_value": "bG8=", "state": "STATE_LISTENING", "description": "x"},
    ]
    fields = {"freebind": True, "transparent": True, "enable_reuse_port": False, "stat_prefix": "s"}
    change = {"address": ip("::", 1, ipv4_compat=True), "socket_options": options, **fields}
    (listener,), report = built(lambda d: v3_listener(d).update(change))
    assert errors(report) == warnings(report) == []
    assert listener.ipv4_compat
    assert (listener.freebind, listener.transparent, listener.enable_reuse_port) == (True, True, False)
    assert listener.stat_prefix == "s"
    assert listener.socket_options == (SocketOption(6, 9, 1), SocketOption(1, 25, b"lo", "LISTENING"))


def test_additional_addresses():
    more = [{"address": ip("127.0.0.1", 9003)}, {"address": pipe("/a")}]
    (listener,), _ = built(lambda d: v3_listener(d).update(additional_addresses=more))
    assert listener.additional_addresses == (Address("127.0.0.1", 9003), Address("", 0, "/a"))


def test_a_listener_that_nothing_reaches_is_warned_of():
    _, report = built(lambda d: v3_listener(d).update(bind_to_port=False))
    message = "nobody can connect to a listener that is not bound: no other listener hands connections over"
    assert warnings(report) == [(f"{LISTENER}.bind_to_port", message)]


def test_inspectors_are_warned_of():
    inspector = {"name": "t", "typed_config": {"@type": f"{FILTERS}tls_inspector.v3.TlsInspector"}}
    _, report = built(lambda d: v3_listener(d).update(listener_filters=[inspector]))
    message = "has no effect here: no filter chain is chosen by what TLS says"
    assert warnings(report) == [(f"{LISTENER}.listener_filters[0]", message)]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            {"address": pipe("/" + "x" * 107)},
            f"{LISTENER}.address.pipe.path",
            "the path of a Unix socket has at most 107 bytes; choose a shorter one",
        ),
        (
            {"address": pipe("/a\0b")},
            f"{LISTENER}.address.pipe.path",
            "the path of a Unix socket cannot hold a NUL",
        ),
        (
            {"address": pipe("@a", mode=0o600)},
            f"{LISTENER}.address.pipe.mode",
            "a name in the abstract namespace has no mode; remove it",
        ),
        (
            {"address": ip("127.0.0.1", 1, ipv4_compat=True)},
            f"{LISTENER}.address.socket_address.ipv4_compat",
            "127.0.0.1 is no IPv6 address; listen on one, such as ::",
        ),
        (
            {"additional_addresses": [{"address": ip("127.0.0.1", 9002)}]},
            f"{LISTENER}.additional_addresses[0]",
            f"127.0.0.1:9002 is taken by {LISTENER}; choose another port",
        ),
        (
            {"address": pipe("/a"), "additional_addresses": [{"address": pipe("/a")}]},
            f"{LISTENER}.additional_addresses[0]",
            f"/a is taken by {LISTENER}; choose another path",
        ),
        (
            {"listener_filters": [{"name": "o", "typed_config": {"@type": f"{FILTERS}original_dst.v3.OriginalDst"}}]},
            f"{LISTENER}.listener_filters[0]",
            'the listener filter "o" is not supported; remove it',
        ),
    ],
)
def test_mistakes(change, path, message):
    _, report = built(lambda d: v3_listener(d).update(change))
    assert errors(report) == [(path, message)]


def test_a_mistake_has_its_place(tmp_path):
    document = v3_file()
    v3_listener(document)["address"] = pipe("@a", mode=0o600)
    (problem,) = refused(tmp_path, document)
    line = (tmp_path / "proxy.json").read_text().splitlines()[problem.line - 1]
    assert line[problem.column - 1 :] == "384"


def test_two_listeners_on_one_path(tmp_path):
    document = v3_file()
    v3_listener(document)["address"] = pipe("/a")
    document["static_resources"]["listeners"].append(v3_listener(document) | {"name": "other"})
    (problem,) = refused(tmp_path, document)
    assert problem.message == f"/a is taken by {LISTENER}; choose another path"


def test_admin_on_a_unix_socket(tmp_path):
    document = v3_file()
    document["admin"]["address"] = pipe("/run/admin.sock")
    assert load(tmp_path, document).configuration.admin == Admin(Address("", 0, "/run/admin.sock"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "port_value: 9002",
            "address: {socket_address: {address: localhost, port_value: 9002}}",
            '5:41: "localhost" is no IP address; listen on one, such as 127.0.0.1',
        ),
        (
            "port_value: 9002",
            "address: {socket_address: {address: 127.0.0.1, port_value: 9002, ipv4_compat: true}}",
            "5:83: 127.0.0.1 is no IPv6 address; listen on one, such as ::",
        ),
        (
            "port_value: 9002",
            'address: {pipe: {path: "@front", mode: 384}}',
            "5:44: a name in the abstract namespace has no mode; remove it",
        ),
        (
            "port_value: 9002",
            'address: {pipe: {path: "a\\0b"}}',
            "5:28: the path of a Unix socket cannot hold a NUL",
        ),
        (
            "port_value: 9002",
            "stat_prefix: s",
            "4:5: an address to listen on is missing; add address.socket_address",
        ),
        (
            "port_value: 9003",
            "address: {socket_address: {address: 127.0.0.1, port_value: 9002}}",
            "16:14: 127.0.0.1:9002 is taken by static_resources.listeners[0]; choose another port",
        ),
        (
            "port_value: 9003",
            "address: {socket_address: {address: 127.0.0.1, port_value: 65536}}",
            "16:64: has to be at most 65535, not 65536",
        ),
        (
            "name: tcp",
            "- name: http",
            '15:11: there is already a listener "http"; rename one',
        ),
    ],
)
def test_mistakes_have_their_places(tmp_path, old, new, message):
    assert complaints(tmp_path, old, new) == [message]
