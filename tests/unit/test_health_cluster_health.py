"""One cluster: what becomes of its hosts by checks, by what workers see, and by DNS."""

import asyncio
from dataclasses import replace

from fastproxy.health.cluster_health import ClusterHealth
from fastproxy.health.host_counters import HostCounters
from fastproxy.health.outliers import Ejection
from fastproxy.model import Address, Cluster, ClusterType, Configuration, HealthFlag, Host, OutlierDetection
from fastproxy.resolver import Slots
from fastproxy.scopes import HOST_NAMES
from fastproxy.stats import StatsLayout
from tests.unit.health_checks import quick
from tests.unit.probed_nodes import Node, answering, ok

PATIENCE_S = 30.0
FAILED, EJECTED = int(HealthFlag.FAILED_ACTIVE_HC), int(HealthFlag.FAILED_OUTLIER_CHECK)
STAYS = int(HealthFlag.PENDING_DYNAMIC_REMOVAL)
WELL, ILL = answering(ok()), answering(ok(status=b"503 x"))
EJECTS = OutlierDetection(interval_s=0.01, consecutive_5xx=1, max_ejection_percent=100, base_ejection_time_s=60.0)


class World:
    """Nodes, and the health of a cluster of them. `changes` and `warm` count what was told."""

    def __init__(self, *serves, **fields):
        self.nodes = [Node(serve) for serve in serves]
        self.cluster = Cluster("nodes", ClusterType.STRICT_DNS, **fields)
        self.layout = StatsLayout(Configuration(clusters=(self.cluster,)))
        self.row = memoryview(bytearray(8 * self.layout.slots)).cast("Q")
        self.slots = Slots(8)
        self.changes = self.warm = 0

    async def __aenter__(self):
        for node in self.nodes:
            await node.__aenter__()
        self.health = self.make(self.cluster)
        return self

    def make(self, cluster, before=None):
        loop, counters = asyncio.get_running_loop(), HostCounters(self.layout, [self.row])
        return ClusterHealth(loop, cluster, counters, self._changed, self._warmed, before)

    def _changed(self):
        self.changes += 1

    def _warmed(self):
        self.warm += 1

    async def __aexit__(self, *_):
        self.health.close()
        for node in self.nodes:
            await node.__aexit__()

    def hosts(self, *places):
        addresses = [self.nodes[place].address for place in places]
        slots = self.slots.assign(addresses)
        return tuple(Host(address, slot=slot) for address, slot in zip(addresses, slots, strict=True))

    def flags(self, health=None):
        found = [host.found_flags for host in (health or self.health).hosts]
        assert {type(each) for each in found} <= {int}, "they are handed over to workers"
        return found

    def slot(self, place, name):
        (host,) = self.hosts(place)
        return self.layout.host("nodes", host.slot) + HOST_NAMES.index(name)

    async def until(self, *flags):
        async with asyncio.timeout(PATIENCE_S):
            while self.flags() != list(flags):
                await asyncio.sleep(0.001)

    async def until_warm(self):
        """Hosts that fail look as those that were not checked yet."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.warm:
                await asyncio.sleep(0.001)


def test_new_hosts_fail_until_they_are_checked():
    async def work():
        async with World(WELL, ILL, health_check=quick()) as world:
            world.health.set_hosts(world.hosts(0, 1))
            assert (world.flags(), world.health.is_awaited) == ([FAILED, FAILED], True)
            await world.until(0, FAILED)
            await world.until_warm()
            assert (world.warm, world.health.is_awaited) == (1, False)
            assert world.changes == 2

    asyncio.run(work())


def test_new_hosts_may_be_left_out_of_the_account():
    async def work():
        async with World(WELL, health_check=quick(), ignore_new_hosts_until_first_hc=True) as world:
            world.health.set_hosts(world.hosts(0))
            assert world.flags() == [FAILED | HealthFlag.PENDING_ACTIVE_HC]
            await world.until(0)

    asyncio.run(work())


def test_a_host_that_dns_has_no_longer_stays_while_it_is_well():
    async def work():
        node_is_well = [True]

        async def serve(node, reader, writer):
            await (WELL if node_is_well[0] else ILL)(node, reader, writer)

        check = quick(reuse_connection=False)
        async with World(WELL, serve, health_check=check) as world:
            world.health.set_hosts(world.hosts(0, 1))
            await world.until(0, 0)
            world.health.set_hosts(world.hosts(0))
            assert world.flags() == [0, STAYS]
            node_is_well[0] = False
            await world.until(0)
            assert len(world.health.hosts) == 1

    asyncio.run(work())


def test_it_goes_at_once_when_that_is_wanted():
    async def work():
        async with World(WELL, WELL, health_check=quick(), ignore_health_on_host_removal=True) as world:
            world.health.set_hosts(world.hosts(0, 1))
            await world.until(0, 0)
            world.health.set_hosts(world.hosts(0))
            assert world.flags() == [0]

    asyncio.run(work())


def test_the_host_of_logical_dns_stays_itself():
    async def work():
        async with World(WELL, WELL, health_check=quick()) as world:
            world.health.close()
            world.health = world.make(replace(world.cluster, type=ClusterType.LOGICAL_DNS))
            world.health.set_hosts(world.hosts(0))
            await world.until(0)
            world.health.set_hosts(world.hosts(1))
            assert world.flags() == [0]

    asyncio.run(work())


def test_an_ejection_and_its_end():
    async def work():
        config = replace(EJECTS, base_ejection_time_s=0.02)
        async with World(WELL, WELL, outlier_detection=config) as world:
            world.health.set_hosts(world.hosts(0, 1))
            world.row[world.slot(1, "row_5xx")] = 1
            world.health.failed(world.health.hosts[1], Ejection.CONSECUTIVE_5XX)
            assert world.flags() == [0, EJECTED]
            assert world.row[world.slot(1, "row_5xx")] == 0
            await world.until(0, 0)

    asyncio.run(work())


def test_a_check_that_passes_ends_an_ejection():
    async def work():
        async with World(WELL, health_check=quick(), outlier_detection=EJECTS) as world:
            world.health.set_hosts(world.hosts(0))
            await world.until(0)
            world.health.failed(world.health.hosts[0], Ejection.CONSECUTIVE_5XX)
            assert world.flags() == [EJECTED]
            await world.until(0)

    asyncio.run(work())


def test_a_check_that_passes_ends_none_where_that_is_not_wanted():
    outliers = replace(EJECTS, successful_active_health_check_uneject_host=False)

    async def work():
        async with World(WELL, outlier_detection=outliers, health_check=quick()) as world:
            world.health.set_hosts(world.hosts(0))
            await world.until(0)
            world.health.failed(world.hosts(0)[0], Ejection.CONSECUTIVE_5XX)
            checks = len(world.nodes[0].requests)
            async with asyncio.timeout(PATIENCE_S):
                while len(world.nodes[0].requests) < checks + 3:
                    await asyncio.sleep(0.001)
            assert world.flags() == [EJECTED]

    asyncio.run(work())


def test_rates_of_what_workers_count():
    async def work():
        config = OutlierDetection(
            interval_s=0.01,
            max_ejection_percent=100,
            enforcing_failure_percentage=100,
            failure_percentage_minimum_hosts=1,
        )
        async with World(WELL, WELL, outlier_detection=config) as world:
            world.health.set_hosts(world.hosts(0, 1))
            async with asyncio.timeout(PATIENCE_S):
                while world.flags() == [0, 0]:
                    world.row[world.slot(1, "answers_total")] += 50
                    await asyncio.sleep(0.01)
            assert world.flags() == [0, EJECTED]

    asyncio.run(work())


def test_a_host_that_says_that_it_fails():
    async def work():
        async with World(WELL, health_check=quick(healthy_threshold=3)) as world:
            world.health.set_hosts(world.hosts(0))
            await world.until(0)
            world.row[world.slot(0, "said_it_fails")] = 1
            world.health.said_it_fails(world.health.hosts[0])
            assert world.flags() == [FAILED | HealthFlag.EXCLUDED_VIA_IMMEDIATE_HC_FAIL]
            await world.until(0)
            assert world.row[world.slot(0, "said_it_fails")] == 0

    asyncio.run(work())


def test_a_cluster_takes_over_from_another():
    async def work():
        async with World(WELL, ILL, health_check=quick(), outlier_detection=EJECTS) as world:
            world.health.set_hosts(world.hosts(0, 1))
            await world.until(0, FAILED)
            later = world.make(replace(world.cluster, health_check=quick(timeout_s=3.0)), world.health)
            later.set_hosts(world.hosts(0, 1))
            assert (world.flags(later), later.is_awaited) == ([0, FAILED], False)
            later.close()

    asyncio.run(work())


def test_hosts_that_were_in_use_unchecked_are_trusted():
    async def work():
        async with World(ILL, outlier_detection=EJECTS) as world:
            world.health.set_hosts(world.hosts(0))
            later = world.make(replace(world.cluster, health_check=quick(interval_s=60.0)), world.health)
            later.set_hosts(world.hosts(0))
            assert world.flags(later) == [0]
            later.close()

    asyncio.run(work())


def test_what_hosts_would_be():
    async def work():
        async with World(WELL, WELL, health_check=quick()) as world:
            world.health.set_hosts(world.hosts(0))
            await world.until(0)
            previewed = world.health.preview(world.hosts(0, 1))
            assert [host.found_flags for host in previewed] == [0, FAILED]
            assert len(world.health.hosts) == 1

    asyncio.run(work())


def test_an_unknown_host_is_no_matter():
    async def work():
        async with World(WELL, health_check=quick()) as world:
            world.health.set_hosts(world.hosts(0))
            stranger = Host(Address("127.0.0.1", 1), slot=7)
            world.health.said_it_fails(stranger)
            world.health.failed(stranger, Ejection.CONSECUTIVE_5XX)
            assert world.flags() == [FAILED]

    asyncio.run(work())
