"""Has the hosts of one cluster checked, each at its own pace, and keeps what was found."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from fastproxy.health.checks import CheckState, Finding, Outcome, Transition, delay_s, first_delay_s
from fastproxy.health.client import Connection
from fastproxy.health.engine_io_probe import EngineIoProber
from fastproxy.health.events import EventLog
from fastproxy.health.http_probe import HttpProber
from fastproxy.health.probes import Prober
from fastproxy.health.tcp_probe import TcpProber
from fastproxy.model import Address, Cluster, EngineIoProbe, HealthCheck, HealthFlag, Host, HttpProbe

log = logging.getLogger("fastproxy.health")

Told = Callable[[Address, Finding, bool], None]
"""Called after each check of a host; the last argument says whether its flags have changed."""
HasTraffic = Callable[[], bool]

COUNTERS = ("attempt", "failure", "network_failure", "passive_failure", "success", "verify_cluster")


def check_address(host: Host, check: HealthCheck) -> Address:
    """Where a host is asked whether it is well."""
    if host.check.address is not None:
        return host.check.address
    port = host.check.port or check.alt_port
    return replace(host.address, port=port) if port and not host.address.path else host.address


def prober_for(cluster: Cluster, check: HealthCheck, host: Host) -> Prober:
    """Asks that host as its cluster wants it."""
    probe, connection = check.probe, Connection(check_address(host, check), cluster.tcp_keepalive)
    if isinstance(probe, HttpProbe):
        return HttpProber(probe, cluster.name, host, connection)
    if isinstance(probe, EngineIoProbe):
        return EngineIoProber(probe, cluster.name, host, connection)
    return TcpProber(probe, connection)


class _Checked:
    """One host that is checked."""

    def __init__(self, host: Host, state: CheckState, prober: Prober) -> None:
        self.host = host
        self.state = state
        self.prober = prober
        self.task: asyncio.Task[None] | None = None


class Checker:
    """The checks of one cluster. `told` is called in the loop."""

    def __init__(
        self, cluster: Cluster, check: HealthCheck, has_traffic: HasTraffic, told: Told, before: "Checker | None" = None
    ) -> None:
        """What `before` knew of the same hosts is where this one begins; its counters go on here."""
        self._cluster = cluster
        self._check = check
        self._has_traffic = has_traffic
        self._told = told
        self._events = EventLog(check, cluster.name)
        self._hosts: dict[Address, _Checked] = {}
        self._known = {} if before is None else {key: replace(each.state) for key, each in before._hosts.items()}
        self.counters: Counter[str] = Counter() if before is None else before.counters

    def flags(self, address: Address) -> int:
        """What checks have found of a host: HealthFlag bits."""
        found = self._hosts.get(address)
        return 0 if found is None else found.state.flags

    @property
    def states(self) -> Mapping[Address, CheckState]:
        return {address: each.state for address, each in self._hosts.items()}

    @property
    def is_warm(self) -> bool:
        """Whether every host was checked once."""
        return not any(each.state.is_first for each in self._hosts.values())

    def trust(self, addresses: Iterable[Address]) -> None:
        """Hosts that were in use without checks are well until their checks say otherwise."""
        self._known |= {address: CheckState(0, is_first=False) for address in addresses}

    def keep(self, loop: asyncio.AbstractEventLoop, hosts: Iterable[Host], new_flags: int) -> None:
        """Check these hosts and no others from now on. One that was not known yet begins with `new_flags`."""
        wanted = {host.address: host for host in hosts if not host.check.is_disabled}
        for address in [address for address in self._hosts if address not in wanted]:
            self._drop(self._hosts.pop(address))
        for address, host in wanted.items():
            known = self._hosts.get(address)
            if known is not None and (known.host.check, known.host.hostname) == (host.check, host.hostname):
                known.host = host
                continue
            state = CheckState(new_flags)
            if known is not None:
                self._drop(known)
                state = known.state
            state = self._known.pop(address, state)
            self._hosts[address] = checked = _Checked(host, state, prober_for(self._cluster, self._check, host))
            checked.task = loop.create_task(self._check_again_and_again(checked))

    def fail(self, address: Address) -> bool:
        """The host has said in an ordinary response that it fails; whether its flags have changed."""
        checked = self._hosts.get(address)
        if checked is None:
            return False
        finding = Finding(Outcome.PASSIVE, "it said so", excludes=True)
        return self._take(checked, finding) is Transition.CHANGED

    def close(self) -> None:
        while self._hosts:
            self._drop(self._hosts.popitem()[1])

    def _drop(self, checked: _Checked) -> None:
        if checked.task is not None:
            checked.task.cancel()
        checked.prober.close()

    async def _check_again_and_again(self, checked: _Checked) -> None:
        check, has_traffic = self._check, self._has_traffic
        await asyncio.sleep(first_delay_s(check, random.random))
        while True:
            finding = await self._ask(checked.prober)
            transition = self._take(checked, finding)
            self._told(checked.host.address, finding, transition is Transition.CHANGED)
            await asyncio.sleep(delay_s(check, finding.outcome.passes, transition, has_traffic(), random.random))

    async def _ask(self, prober: Prober) -> Finding:
        self.counters["attempt"] += 1
        try:
            async with asyncio.timeout(self._check.timeout_s):
                finding = await prober.ask()
        except TimeoutError:
            prober.close()
            return Finding(Outcome.TIMEOUT, f"no answer within {self._check.timeout_s:g} s")
        except Exception:  # a defect of ours; the host is not to blame, but nobody knows how it is
            log.exception("a check of cluster '%s' could not be made", self._cluster.name)
            prober.close()
            return Finding(Outcome.NETWORK, "the check could not be made")
        if not self._check.reuse_connection:
            prober.close()
        return finding

    def _take(self, checked: _Checked, finding: Finding) -> Transition:
        before = replace(checked.state)
        transition = checked.state.take(finding.outcome, self._check, excludes=finding.excludes)
        self._count(finding)
        self._events.tell(checked.host.address, before, checked.state, finding)
        has_turned = (before.flags ^ checked.state.flags) & HealthFlag.FAILED_ACTIVE_HC
        if has_turned or (before.is_first and not finding.outcome.passes):
            self._log(checked, finding)
        return transition

    def _log(self, checked: _Checked, finding: Finding) -> None:
        address, name = checked.host.address, self._cluster.name
        if checked.state.flags & HealthFlag.FAILED_ACTIVE_HC:
            log.warning("cluster '%s': host %s fails its checks: %s", name, address, finding.reason)
        else:
            log.info("cluster '%s': host %s passes its checks", name, address)

    def _count(self, finding: Finding) -> None:
        counters, outcome = self.counters, finding.outcome
        counters["success" if outcome.passes else "failure"] += 1
        counters["network_failure"] += outcome.is_network
        counters["passive_failure"] += outcome is Outcome.PASSIVE
        counters["verify_cluster"] += finding.verified
