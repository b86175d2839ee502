"""Why a session was lost, and where a client goes that has several addresses."""

import socket
import threading
from unittest import mock

import pytest
import requests
import websocket

from loadtest import losses
from loadtest.clients import ObservedWebSocket
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


def test_the_port_of_a_handshake_that_fails_is_told():
    """It says on which worker, or at which node, the handshake was."""
    peers: list[int] = []

    def refuse() -> None:
        client, peer = server.accept()
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
        peers.append(peer[1])

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=refuse)
        thread.start()
        url = f"ws://127.0.0.1:{server.getsockname()[1]}/"
        observer = mock.Mock()
        with pytest.raises(websocket.WebSocketBadStatusException):
            ObservedWebSocket(observer=observer, hosts=Hosts([url])).connect(url, http_no_proxy=["*"])
        thread.join()
    assert observer.mock_calls == [mock.call.on_connection(peers[0], is_web_socket=False)]
