"""How the names of headers are spelt on the wire."""

import pytest

from fastproxy.model import HeaderKeyFormat
from tests.unit.engine_world import get, ok


def test_every_word_gets_a_capital(worlds):
    world = worlds(manager={"header_key_format": HeaderKeyFormat.PROPER_CASE_WORDS})
    client, node = world.ask(get("/", "X-Odd_name: a: b"))
    assert b"\r\nx-odd_name: a: b\r\n" in node.head()
    node.send(ok(b"x-body: y\r\n", "x-one$two-3c: v: w"))
    head = client.head()
    assert b"\r\nContent-Length: 11\r\n" in head
    assert b"\r\nX-One$Two-3c: v: w\r\n" in head
    assert client.take(11) == b"x-body: y\r\n"


@pytest.mark.parametrize("cut", [0, 40])
def test_names_as_the_client_spells_them(worlds, cut):
    world = worlds(manager={"header_key_format": HeaderKeyFormat.PRESERVE_CASE})
    client = world.client()
    request = b"GET / HTTP/1.1\r\nHOST: h\r\nX-OdD: 1\r\nx-odd: 2\r\nX-Forwarded-PROTO: http\r\n\r\n"
    client.send(request[:cut])
    client.send(request[cut:])
    node = world.nodes[0].accept()
    head = node.head()
    assert b"\r\nHOST: h\r\nX-OdD: 1\r\nX-OdD: 2\r\nX-Forwarded-PROTO: http\r\nx-request-id: " in head
    node.send(ok(b""))
    assert b"\r\ncontent-length: 0\r\n" in client.head()
