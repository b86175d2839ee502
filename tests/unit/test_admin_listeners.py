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


def test_a_wrong_format():
    assert listeners(Server().status, {"format": "bad"}).status == 400
