"""The hosts of the clusters in use: what DNS and health say reaches the status and the workers."""

import asyncio
from dataclasses import replace

from fastproxy import control, resolver
from fastproxy.generation import Generation
from fastproxy.listening import Listening
from fastproxy.membership import Membership
from fastproxy.model import Address, Cluster, ClusterType, Configuration, HealthFlag, Host, OutlierDetection
from tests.unit.admin_status import Server

PATIENCE_S = 30.0
WATCHED = Cluster("watched", hosts=(Host(Address("127.0.0.1", 1)), Host(Address("127.0.0.1", 2))))
EJECTS = OutlierDetection(consecutive_5xx=1, max_ejection_percent=100)
NAMED = Cluster("named", ClusterType.STRICT_DNS, hosts=(Host(Address("a", 80)),), dns_refresh_rate_s=3600.0)
CONFIGURATION = Configuration(clusters=(replace(WATCHED, outlier_detection=EJECTS), NAMED))


class World:
    """A membership that uses `generation`, whose name is `answer`; `told` are messages to workers since."""

    def __init__(self, monkeypatch):
        self.server = Server(CONFIGURATION)
        self.generation = Generation.first(CONFIGURATION, Listening(), self.server.layout)
        self.answer = "10.0.0.1"
        self.told = []
        self.looked_up = 0
        monkeypatch.setattr(resolver, "look_up", lambda name, family: (self.answer,))

    async def __aenter__(self):
        loop, status = asyncio.get_running_loop(), self.server.status
        rows, tell = [self.server.row], self.told.append
        self.members = Membership(loop, rows, self.generation, status, tell, self._note_nothing, self._note_answer)
        await self.look_up(self.generation)  # else it would be looked up soon
        self.use(self.generation)
        status.configuration = self.members.health.configuration(self.generation)
        self.told.clear()
        return self

    async def __aexit__(self, *_):
        await self.members.health.close()

    def use(self, generation):
        self.members.health.prepare(generation)
        self.members.use(generation)

    def _note_nothing(self):
        pass

    def _note_answer(self):
        self.looked_up += 1

    async def look_up(self, generation):
        before = self.looked_up
        self.members.look_up(generation.resolvers.values())
        await self.until(lambda: self.looked_up > before)

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.001)

    def hosts(self, name):
        clusters = self.server.status.configuration.clusters
        return next(cluster.hosts for cluster in clusters if cluster.name == name)


def test_an_answer_of_dns_is_told_to_everybody(monkeypatch):
    async def work():
        async with World(monkeypatch) as world:
            world.answer = "10.0.0.2"
            await world.look_up(world.generation)
            (host,) = world.hosts("named")
            assert host.address == Address("10.0.0.2", 80)
            assert world.told == [control.Hosts("named", (host,))]
            await world.look_up(world.generation)
            assert len(world.told) == 1, "the same answer is no news"

    asyncio.run(work())


def test_an_answer_for_a_generation_that_is_not_in_use_changes_nothing(monkeypatch):
    async def work():
        async with World(monkeypatch) as world:
            other, before = Generation.first(CONFIGURATION, Listening(), world.server.layout), world.hosts("named")
            world.answer = "10.0.0.2"
            await world.look_up(other)
            assert (world.told, world.hosts("named")) == ([], before)
            world.use(other)
            world.answer = "10.0.0.3"
            await world.look_up(other)
            assert [str(host.address) for host in world.hosts("named")] == ["10.0.0.3:80"]

    asyncio.run(work())


def test_what_is_found_of_a_host_is_told_to_everybody(monkeypatch):
    async def work():
        async with World(monkeypatch) as world:
            world.members.health.failing("watched", "127.0.0.1:2", "consecutive_5xx")
            await world.until(lambda: world.told)
            ejected = int(HealthFlag.FAILED_OUTLIER_CHECK)
            assert world.told == [control.HostHealth("watched", (("127.0.0.1:2", ejected),))]
            assert [host.found_flags for host in world.hosts("watched")] == [0, ejected]

    asyncio.run(work())


def test_the_status_knows_the_health_of_what_is_watched(monkeypatch):
    async def work():
        async with World(monkeypatch) as world:
            health = world.server.status.health
            assert health("named") is None
            assert health("watched") is world.members.health.clusters["watched"]

    asyncio.run(work())
