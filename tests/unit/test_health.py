"""The health of a server: configurations that come, wait and go."""

import asyncio
from dataclasses import replace

from fastproxy.generation import Generation
from fastproxy.health.health import Health
from fastproxy.listening import Listening
from fastproxy.model import Cluster, Configuration, HealthFlag, Host, OutlierDetection
from fastproxy.stats import StatsLayout
from tests.unit.health_checks import quick
from tests.unit.probed_nodes import Node, answering, ok

PATIENCE_S = 30.0
FAILED = int(HealthFlag.FAILED_ACTIVE_HC)
EJECTS = OutlierDetection(consecutive_5xx=1, max_ejection_percent=100)
WELL, ILL = answering(ok()), answering(ok(status=b"503 x"))


class World:
    """Nodes that clusters are made of. `told` are the clusters that have changed, `warmed` counts what was told."""

    def __init__(self, *serves):
        self.nodes = [Node(serve) for serve in serves]
        self.told = []
        self.warmed = 0

    async def __aenter__(self):
        for node in self.nodes:
            await node.__aenter__()
        self.row = memoryview(bytearray(8 << 14)).cast("Q")
        self.health = Health(asyncio.get_running_loop(), [self.row], self.told.append, self._warmed)
        return self

    def _warmed(self):
        self.warmed += 1

    async def __aexit__(self, *_):
        await self.health.close()
        for node in self.nodes:
            await node.__aexit__()

    def generation(self, **fields):
        """The first one: a cluster of all nodes, and one that nobody looks after."""
        hosts = tuple(Host(node.address) for node in self.nodes)
        checked = Cluster("checked", hosts=hosts, **fields)
        configuration = Configuration(clusters=(checked, Cluster("plain", hosts=hosts)))
        return Generation.first(configuration, Listening(), StatsLayout(configuration))

    def flags(self, generation):
        clusters = self.health.configuration(generation).clusters
        return [[host.found_flags for host in cluster.hosts] for cluster in clusters]

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.001)


def test_what_is_prepared_is_checked_before_it_is_used():
    async def work():
        async with World(WELL, ILL) as world:
            generation = world.generation(health_check=quick())
            world.health.prepare(generation)
            assert not world.health.is_warm
            assert world.flags(generation) == [[FAILED, FAILED], [0, 0]]
            await world.until(lambda: world.warmed)
            assert world.health.is_warm
            assert world.told == []
            world.health.commit(generation)
            assert world.flags(generation) == [[0, FAILED], [0, 0]]

    asyncio.run(work())


def test_nothing_to_check_is_nothing_to_wait_for():
    async def work():
        async with World(WELL) as world:
            world.health.prepare(world.generation(outlier_detection=EJECTS))
            assert world.health.is_warm

    asyncio.run(work())


def test_changes_are_told_together():
    async def work():
        async with World(WELL, WELL, WELL) as world:
            generation = world.generation(outlier_detection=EJECTS)
            world.health.prepare(generation)
            world.health.commit(generation)
            for node in world.nodes:
                world.health.failing("checked", str(node.address), "consecutive_5xx")
            await world.until(lambda: world.told)
            assert world.told == ["checked"]
            assert world.flags(generation)[0] == [int(HealthFlag.FAILED_OUTLIER_CHECK)] * 3

    asyncio.run(work())


def test_a_host_says_that_it_fails():
    async def work():
        async with World(WELL) as world:
            generation = world.generation(health_check=quick(healthy_threshold=1000))
            world.health.prepare(generation)
            world.health.commit(generation)
            await world.until(lambda: world.flags(generation)[0] == [0])
            world.health.failing("checked", str(world.nodes[0].address), "")
            assert world.flags(generation)[0][0] & FAILED

    asyncio.run(work())


def test_reports_of_what_is_no_more():
    async def work():
        async with World(WELL) as world:
            generation = world.generation(outlier_detection=EJECTS)
            world.health.prepare(generation)
            world.health.commit(generation)
            world.health.failing("nobody", str(world.nodes[0].address), "consecutive_5xx")
            world.health.failing("checked", "127.0.0.1:1", "consecutive_5xx")
            assert world.flags(generation)[0] == [0]

    asyncio.run(work())


def test_a_cluster_that_stays_the_same_goes_on():
    async def work():
        async with World(WELL, ILL) as world:
            generation = world.generation(health_check=quick())
            world.health.prepare(generation)
            world.health.commit(generation)
            before = world.health.clusters["checked"]
            await world.until(lambda: not before.is_awaited)
            assert world.flags(generation)[0] == [0, FAILED]
            world.health.prepare(generation)
            assert world.health.is_warm
            world.health.abandon()
            world.health.prepare(generation)
            world.health.commit(generation)
            assert world.health.clusters["checked"] is before
            assert world.flags(generation)[0] == [0, FAILED]

    asyncio.run(work())


def test_a_changed_one_begins_with_what_is_known():
    async def work():
        async with World(WELL, ILL) as world:
            first = world.generation(health_check=quick())
            world.health.prepare(first)
            world.health.commit(first)
            await world.until(lambda: world.flags(first)[0] == [0, FAILED])
            second = world.generation(health_check=quick(unhealthy_threshold=3))
            world.health.prepare(second)
            assert world.flags(second)[0] == [0, FAILED]
            world.health.commit(second)
            await world.until(lambda: world.health.clusters["checked"].checker.counters["attempt"] > 10)
            third = world.generation()
            world.health.prepare(third)
            world.health.commit(third)
            assert not world.health.clusters

    asyncio.run(work())


def test_dns_has_other_hosts():
    async def work():
        async with World(WELL, WELL) as world:
            generation = world.generation(health_check=quick())
            world.health.prepare(generation)
            world.health.commit(generation)
            (cluster, _) = generation.resolved().clusters
            world.health.resolved(replace(cluster, hosts=cluster.hosts[:1]))
            assert len(world.health.cluster(cluster).hosts) == 1

    asyncio.run(work())
