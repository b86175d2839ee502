"""`/listeners` as Envoy recorded it."""

import json

from fastproxy.admin.listeners import listeners
from fastproxy.model import Address
from tests.unit.admin_status import Server


def test_text_as_envoy(golden):
    assert listeners(Server().status, {}).text == (golden / "admin" / "listeners.txt").read_text()


def test_json_as_envoy(golden):
    recorded = (golden / "admin" / "listeners_format_json.txt").read_text()
    assert json.loads(listeners(Server().status, {"format": "json"}).text) == json.loads(recorded)


def test_the_bound_address_is_shown():
    server = Server()
    server.status.listeners = [("six", Address("::1", 4711))]
    assert listeners(server.status, {}).text == "six::[::1]:4711\n"


def test_unix_sockets_and_additional_addresses():
    server = Server()
    server.status.listeners = [("l", Address("::1", 4711)), ("l", Address("", 0, "/run/l.sock"))]
    assert listeners(server.status, {}).text == "l::[::1]:4711\nl::/run/l.sock\n"
    assert json.loads(listeners(server.status, {"format": "json"}).text)["listener_statuses"] == [
        {
            "name": "l",
            "local_address": {"socket_address": {"address": "::1", "port_value": 4711}},
            "additional_local_addresses": [{"pipe": {"path": "/run/l.sock"}}],
        }
    ]


def test_a_wrong_format():
    assert listeners(Server().status, {"format": "bad"}).status == 400
