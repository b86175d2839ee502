"""The checks of one cluster: who is asked, how often, and what becomes known."""

import asyncio

import pytest
import uvloop

from fastproxy.health.checker import Checker, check_address, prober_for
from fastproxy.model import Address, Cluster, EngineIoProbe, HealthFlag, Host, HostCheck, HttpProbe, TcpProbe
from fastproxy.model_clusters import TcpKeepalive
from tests.unit.health_checks import quick
from tests.unit.keepalive_sockets import OWN, probes_of
from tests.unit.probed_nodes import Node, answering, ok

FAILED = HealthFlag.FAILED_ACTIVE_HC
PATIENCE_S = 30.0


class World:
    """Nodes, and the checker of a cluster of them. `told` is what it told, one after the other."""

    def __init__(self, *serves, check=None, before=None):
        self.nodes = [Node(serve) for serve in serves]
        self.told = []
        self.checker = Checker(Cluster("nodes"), check or quick(), lambda: True, self._told, before)

    def _told(self, address, finding, changed):
        self.told.append((address, finding.outcome.value, changed))

    async def __aenter__(self):
        for node in self.nodes:
            await node.__aenter__()
        return self

    async def __aexit__(self, *_):
        self.checker.close()
        for node in self.nodes:
            await node.__aexit__()

    def keep(self, hosts=None, flags=FAILED):
        self.hosts = [Host(node.address) for node in self.nodes] if hosts is None else hosts
        self.checker.keep(asyncio.get_running_loop(), self.hosts, flags)

    def flags(self):
        return [self.checker.flags(host.address) for host in self.hosts]

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.001)


def run(coroutine):
    asyncio.run(coroutine)


def test_every_host_is_asked_again_and_again():
    async def work():
        async with World(answering(ok()), answering(ok(status=b"503 x"))) as world:
            world.keep()
            assert not world.checker.is_warm
            await world.until(lambda: all(len(node.requests) > 3 for node in world.nodes))
            assert world.checker.is_warm
            assert world.flags() == [0, FAILED]
            counters = world.checker.counters
            assert counters["success"] + counters["failure"] <= counters["attempt"]
            assert [node.connections for node in world.nodes] == [1, 1]

    run(work())


def test_connections_that_are_not_kept():
    async def work():
        async with World(answering(ok()), check=quick(reuse_connection=False)) as world:
            world.keep()
            await world.until(lambda: len(world.nodes[0].requests) > 3)
            assert world.nodes[0].connections >= 3

    run(work())


def test_a_host_that_does_not_answer_in_time():
    async def silent(node, reader, writer):
        await reader.read()

    async def work():
        async with World(silent, check=quick(timeout_s=0.02)) as world:
            world.keep()
            await world.until(lambda: len(world.told) > 1)
            assert world.flags() == [FAILED | HealthFlag.ACTIVE_HC_TIMEOUT]
            assert world.checker.counters["network_failure"] >= 2

    run(work())


def test_hosts_come_and_go():
    async def work():
        async with World(answering(ok()), answering(ok())) as world:
            world.keep()
            first, second = world.hosts
            await world.until(lambda: world.flags() == [0, 0])
            world.keep([first])
            asked = len(world.nodes[1].requests)
            before = len(world.nodes[0].requests)
            await world.until(lambda: len(world.nodes[0].requests) > before + 3)
            assert len(world.nodes[1].requests) <= asked + 1
            world.keep([first, second])
            assert world.flags() == [0, FAILED]  # it is new again
            await world.until(lambda: world.flags() == [0, 0])

    run(work())


def test_a_host_that_is_not_to_be_checked():
    async def work():
        async with World(answering(ok())) as world:
            world.keep([Host(world.nodes[0].address, check=HostCheck(is_disabled=True))])
            assert (world.flags(), world.checker.is_warm) == ([0], True)

    run(work())


def test_what_was_known_before_is_where_it_goes_on():
    async def work():
        async with World(answering(ok()), answering(ok(status=b"503 x"))) as world:
            world.keep()
            await world.until(lambda: world.checker.is_warm)
            later = Checker(Cluster("nodes"), quick(), lambda: True, lambda *_: None, world.checker)
            later.keep(asyncio.get_running_loop(), world.hosts, FAILED)
            assert [later.flags(host.address) for host in world.hosts] == [0, FAILED]
            assert later.is_warm
            later.close()

    run(work())


def test_hosts_in_use_are_trusted():
    async def work():
        async with World(answering(ok(status=b"503 x"))) as world:
            world.checker.trust([world.nodes[0].address])
            world.keep()
            assert world.flags() == [0]
            await world.until(lambda: world.flags() == [FAILED])

    run(work())


def test_a_host_that_says_that_it_fails():
    async def work():
        async with World(answering(ok()), check=quick(interval_s=600.0, healthy_threshold=1)) as world:
            world.keep()
            await world.until(lambda: world.flags() == [0])
            assert world.checker.fail(world.hosts[0].address)
            assert not world.checker.fail(world.hosts[0].address)
            assert world.flags() == [FAILED | HealthFlag.EXCLUDED_VIA_IMMEDIATE_HC_FAIL]
            assert world.checker.counters["passive_failure"] == 2
            assert not world.checker.fail(Address("127.0.0.1", 1))

    run(work())


def test_a_probe_with_a_defect_is_logged_and_made_again(caplog, monkeypatch):
    async def work():
        async with World(answering(ok())) as world:
            monkeypatch.setattr("fastproxy.health.http_probe.HttpProber._judge", lambda self, answer: 1 // 0)
            world.keep()
            await world.until(lambda: len(world.told) > 2)
            assert "could not be made" in caplog.text

    run(work())


@pytest.mark.parametrize(
    ("host", "alt_port", "asked"),
    [
        (Host(Address("10.0.0.1", 80)), 0, "10.0.0.1:80"),
        (Host(Address("10.0.0.1", 80)), 81, "10.0.0.1:81"),
        (Host(Address("10.0.0.1", 80), check=HostCheck(port=82)), 81, "10.0.0.1:82"),
        (Host(Address("10.0.0.1", 80), check=HostCheck(address=Address("10.0.0.2", 83))), 81, "10.0.0.2:83"),
        (Host(Address("", 0, "/run/a")), 81, "/run/a"),
    ],
)
def test_where_a_host_is_asked(host, alt_port, asked):
    assert str(check_address(host, quick(alt_port=alt_port))) == asked


@pytest.mark.parametrize(
    ("keepalive", "expected"),
    [
        (None, [0, *OWN]),
        (TcpKeepalive(), [1, *OWN]),
        (TcpKeepalive(probes=6, time_s=60, interval_s=10), [1, 6, 60, 10]),
    ],
    ids=["off", "as the system has it", "as the file says"],
)
@pytest.mark.parametrize(
    "probe", [HttpProbe("/h"), EngineIoProbe(), TcpProbe(b"x", (b"y",))], ids=["http", "engine_io", "tcp"]
)
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_silent_host_is_asked_by_the_kernel_as_its_cluster_says(keepalive, expected, probe, new_loop):
    """The connection of a check is one of the cluster's. The supervisor's loop is uvloop's."""
    found = []

    async def look(node, reader, writer):
        await reader.read(1)
        found.append(probes_of(writer.get_extra_info("peername")))

    async def work():
        async with Node(look) as node:
            prober = prober_for(Cluster("nodes", tcp_keepalive=keepalive), quick(probe), Host(node.address))
            await prober.ask()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(work())
    assert found == [expected]


def test_each_kind_of_probe_asks():
    async def work():
        for probe in (HttpProbe("/h"), TcpProbe()):
            async with World(answering(ok()), check=quick(probe)) as world:
                world.keep()
                await world.until(lambda world=world: world.flags() == [0])

    run(work())
