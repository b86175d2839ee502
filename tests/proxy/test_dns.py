"""Hosts by name: the set follows what a DNS server says, and connections outlive the answers that led to them."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.adversary import Node
from tests.support.dns_server import SERVFAIL, DnsServer, dns_server
from tests.support.processes import wait_until
from tests.support.proxies import WEBSOCKET, World, Worlds, cluster, connection_manager, route
from tests.support.websocket import handshake, switching, upgrade_seen

NAME = "nodes.test"
LONG = "3600s"


@pytest.fixture
def nodes() -> list[Node]:
    """On one port of two addresses; tests answer by hand."""
    for _ in range(20):
        first = Node()
        try:
            return [first, Node(host="127.0.0.2", port=first.port)]
        except OSError:  # somebody else has that port of the other address
            first.close()
    raise LookupError("a port that is free on both addresses")


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with dns_server() as made:
        made.addresses[NAME] = ["127.0.0.1"]
        made.ttl_s = 1
        yield made


@pytest.fixture
def start(worlds: Worlds, nodes: list[Node], server: DnsServer) -> Iterator[Any]:
    with ExitStack() as ends:

        def run(query_timeout_s: int = 20, **fields: Any) -> World:
            backends = [backend(query_timeout_s, **fields)]
            made = worlds.run(connection_manager([route("/", "backend")], upgrade_configs=WEBSOCKET), backends, nodes)
            ends.callback(end, worlds, made)
            return made

        def backend(query_timeout_s: int, **fields: Any) -> dict[str, Any]:
            resolver = {
                "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                "resolvers": [{"socket_address": {"address": "127.0.0.1", "port_value": server.port}}],
                "dns_resolver_options": {"no_default_search_domain": True},
                "query_timeout_seconds": query_timeout_s,
                "query_tries": 1,
            }
            defaults = {"type": "STRICT_DNS", "dns_lookup_family": "V4_ONLY", "dns_refresh_rate": LONG}
            how = {"typed_dns_resolver_config": {"name": "cares", "typed_config": resolver}}
            found = cluster("backend", [nodes[0].port], **{**defaults, **how, **fields})
            address = found["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
            address["socket_address"]["address"] = NAME
            return found

        yield run


def end(worlds: Worlds, world: World) -> None:
    world.settle()
    worlds.live.remove(world)
    world.proxy.stop()


def hosts(world: World) -> set[str]:
    """The IP addresses that the cluster has now."""
    lines = world.proxy.admin("/clusters")[1].splitlines()
    return {line.split("::")[1].rpartition(":")[0] for line in lines if line.startswith("backend::127.")}


def wait_for_hosts(world: World, *addresses: str) -> None:
    wait_until(lambda: hosts(world) == set(addresses), lambda: f"{addresses}, not {hosts(world)}")


def stat(world: World, name: str) -> int:
    return world.proxy.stats()[f"cluster.backend.{name}"]


def ask(world: World, node: Node) -> None:
    """One request, which that node has to get."""
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    peer = node.busy_peer()
    peer.read_request()
    peer << b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    assert client.read_response().body == b"ok"
    client.close()


@pytest.mark.parametrize("kind", ["STRICT_DNS", "LOGICAL_DNS"])
def test_the_host_set_follows_the_time_to_live_and_a_tunnel_lives_on(start: Any, server: DnsServer, kind: str) -> None:
    world = start(type=kind, respect_dns_ttl=True)
    first, second = world.nodes
    wait_for_hosts(world, "127.0.0.1")
    client = world.client() << handshake()
    upstream = first.busy_peer()
    assert upgrade_seen(upstream.read_head())
    upstream << switching()
    assert client.read_head().status == 101
    server.addresses[NAME] = ["127.0.0.2"]
    wait_for_hosts(world, "127.0.0.2")
    ask(world, second)
    client << b"from the client"
    assert upstream.read_exactly(15) == b"from the client"
    upstream << b"from the node"
    assert client.read_exactly(13) == b"from the node"


def test_a_strict_cluster_has_all_addresses_and_a_logical_one_the_first(start: Any, server: DnsServer) -> None:
    server.addresses[NAME] = ["127.0.0.2", "127.0.0.1"]
    wait_for_hosts(start(), "127.0.0.1", "127.0.0.2")
    wait_for_hosts(start(type="LOGICAL_DNS"), "127.0.0.2")


@pytest.mark.parametrize("trouble", [{"failure": SERVFAIL}, {"is_silent": True}])
def test_a_failure_keeps_the_hosts_and_is_tried_again(start: Any, server: DnsServer, trouble: dict[str, Any]) -> None:
    back_off = {"base_interval": "0.1s", "max_interval": "0.2s"}
    world = start(query_timeout_s=1, respect_dns_ttl=True, dns_failure_refresh_rate=back_off)
    wait_for_hosts(world, "127.0.0.1")
    for name, value in trouble.items():
        setattr(server, name, value)
    wait_until(lambda: stat(world, "update_failure") >= 2, "failures are tried again")
    ask(world, world.nodes[0])
    server.addresses[NAME] = ["127.0.0.2"]
    server.failure, server.is_silent = 0, False
    wait_for_hosts(world, "127.0.0.2")
    ask(world, world.nodes[1])


@pytest.mark.departure("Envoy takes a name that does not exist for one without hosts")
def test_a_name_that_is_gone_keeps_its_hosts(start: Any, server: DnsServer) -> None:
    world = start(respect_dns_ttl=True)
    wait_for_hosts(world, "127.0.0.1")
    attempts = stat(world, "update_attempt")
    del server.addresses[NAME]
    server.asked.clear()
    wait_until(lambda: server.asked and stat(world, "update_attempt") > attempts, "the name is asked for again")
    ask(world, world.nodes[0])


def test_both_families(start: Any, server: DnsServer) -> None:
    server.addresses[NAME] = ["127.0.0.2", "::1", "127.0.0.1"]
    world = start(dns_lookup_family="ALL")
    wait_until(lambda: stat(world, "membership_total") == 3, "hosts of both families")
