"""per_connection_buffer_limit_bytes: bodies and tunnels pass whole, whatever the limit is, both ways."""

import hashlib

import pytest

from tests.support.adversary import Node
from tests.support.processes import free_ports
from tests.support.proxies import Worlds, bootstrap, cluster, connection_manager, route

BODY = hashlib.sha256(b"x").digest() * 20_000
LIMITS = [1, 4096, 10_000, 131_072]


@pytest.mark.parametrize("limit", LIMITS)
def test_bodies_pass_whole(worlds: Worlds, limit: int) -> None:
    node = Node()
    port, admin_port = free_ports(2)
    backend = cluster("backend", [node.port], per_connection_buffer_limit_bytes=limit)
    configuration = bootstrap(port, admin_port, connection_manager([route("/", "backend")]), [backend])
    configuration["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] = limit
    world = worlds.run_file(configuration, [node])
    client = world.client()
    client << b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
    peer = world.node.accept()
    assert peer.read_request().body == BODY
    peer << b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
    assert client.read_response().body == BODY
    world.settle()
