"""Why a session was lost, and where a client goes that has several addresses."""

import pytest
import requests

from loadtest import losses
from loadtest.hosts import Hosts

URL = "http://a:1/socket.io/?EIO=4&sid=x"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, b'"Invalid session AbC"', losses.UNKNOWN),
        (400, b'{"code":1,"message":"Session ID unknown"}', losses.UNKNOWN),
        (400, b'{"code": 1, "message": "Session ID unknown"}', losses.UNKNOWN),
        (400, b'{"code":3,"message":"Bad request"}', losses.STATUS),
        (503, b"no healthy upstream", losses.STATUS),
        (503, b'"Invalid session AbC"', losses.STATUS),
    ],
)
def test_answers(status, body, reason):
    assert losses.of_response(status, body) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ConnectionError("[Errno 111] Connection refused"), losses.REFUSED),
        (requests.ConnectionError("Connection aborted.", ConnectionResetError(104)), losses.CUT),
        (requests.ReadTimeout("Read timed out."), losses.TIMEOUT),
        (requests.ConnectTimeout(), losses.TIMEOUT),
    ],
)
def test_errors(error, reason):
    assert losses.of_error(error) == reason


def test_a_client_keeps_to_its_address_until_that_refuses():
    hosts = Hosts(["http://a:1", "http://b:2"])
    first = hosts.next_for(URL)
    assert {hosts.next_for(URL) for _ in range(20)} == {first}
    hosts.leave(first)
    hosts.leave(first)  # two requests at a time were refused there
    assert {hosts.next_for(URL), first} == {URL, URL.replace("a:1", "b:2")}


def test_a_nomad_uses_them_all():
    hosts = Hosts(["http://a:1", "http://b:2"], roams=True)
    assert {hosts.next_for("ws" + URL[4:]) for _ in range(100)} == {"ws" + URL[4:], "ws://b:2" + URL[10:]}
