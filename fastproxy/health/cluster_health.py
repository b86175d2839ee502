"""One cluster: its hosts with all that is known of their health."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace

from fastproxy.health.checker import Checker
from fastproxy.health.checks import Finding
from fastproxy.health.ejection_log import EjectionLog
from fastproxy.health.host_counters import HostCounters
from fastproxy.health.outliers import Detector, Ejection
from fastproxy.model import Address, Cluster, ClusterType, HealthFlag, Host

log = logging.getLogger("fastproxy.health")

_LEAVING = int(HealthFlag.PENDING_DYNAMIC_REMOVAL)
_EJECTED = int(HealthFlag.FAILED_OUTLIER_CHECK)


class ClusterHealth:
    """`cluster` is without the answers of DNS; `hosts` are those of now, with what was found of them.

    `changed` is called in the loop when the hosts are others, or what is known of them; `warmed` once, when all hosts
    of a new cluster were checked.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        cluster: Cluster,
        counters: HostCounters,
        changed: Callable[[], None],
        warmed: Callable[[], None],
        before: "ClusterHealth | None" = None,
    ) -> None:
        """`before` is the health of a cluster of this name that was otherwise."""
        self.cluster = cluster
        self.counters = counters
        self.hosts: tuple[Host, ...] = ()
        self._loop = loop
        self._changed = changed
        self._warmed = warmed
        self._is_new = before is None
        self._given: tuple[Host, ...] = ()
        self._places: dict[Address, list[int]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.checker = self._checker(before)
        self.detector = self._detector(before)

    def _checker(self, before: "ClusterHealth | None") -> Checker | None:
        check = self.cluster.health_check
        if check is None:
            return None
        known = None if before is None else before.checker
        checker = Checker(self.cluster, check, self._has_traffic, self._checked, known)
        if before is not None and before.checker is None:
            checker.trust(host.address for host in before.hosts)
        return checker

    def _detector(self, before: "ClusterHealth | None") -> Detector | None:
        if self.cluster.outlier_detection is None:
            return None
        events = EjectionLog(self.cluster.outlier_detection.event_log_path, self.cluster.name)
        detector = Detector(self.cluster.outlier_detection, random.random, events)
        if before is not None and before.detector is not None:
            detector.inherit(before.detector)
        self._look_later()
        return detector

    @property
    def is_awaited(self) -> bool:
        """Whether hosts were not checked yet, and the cluster is not to be used before."""
        awaited = self._is_new and self.cluster.wait_for_warm_on_init
        return awaited and self.checker is not None and not self.checker.is_warm

    def set_hosts(self, hosts: tuple[Host, ...]) -> None:
        """Have these hosts, as the file or DNS says, and those that may stay although DNS has them no longer."""
        leaving = self._staying(hosts)
        self._given = hosts
        everybody = (*hosts, *leaving)
        if self.checker is not None:
            self.checker.keep(self._loop, everybody, self._new_flags(hosts))
        if self.detector is not None:
            for host in everybody:
                if host.address not in self.detector:
                    self.counters.begin_row(self.cluster, host)
            self.detector.keep(host.address for host in everybody)
        self._refresh(everybody)

    def _new_flags(self, hosts: tuple[Host, ...]) -> int:
        """With which flags a host begins: it fails until it was checked. The one host of a logical_dns cluster stays
        the same, at another address."""
        if self.cluster.type is ClusterType.LOGICAL_DNS and self.hosts and hosts:
            return self.checker.flags(self.hosts[0].address) if self.checker else 0
        flags = HealthFlag.FAILED_ACTIVE_HC
        if self.cluster.ignore_new_hosts_until_first_hc and self.cluster.type is not ClusterType.STATIC:
            flags |= HealthFlag.PENDING_ACTIVE_HC
        return flags

    def _staying(self, hosts: tuple[Host, ...]) -> list[Host]:
        """Hosts that DNS has no longer and whose checks say that they are well: they are kept until they fail."""
        if self.checker is None or self.cluster.ignore_health_on_host_removal:
            return []
        if self.cluster.type is not ClusterType.STRICT_DNS:
            return []
        addresses, slots = {host.address for host in hosts}, {host.slot for host in hosts}
        gone = (host for host in self.hosts if host.address not in addresses and host.slot not in slots)
        return [host for host in gone if not self.checker.flags(host.address) & HealthFlag.FAILED_ACTIVE_HC]

    def preview(self, hosts: tuple[Host, ...]) -> tuple[Host, ...]:
        """These hosts with what is known of them, or would be when they came."""
        known = {host.address: host.found_flags for host in self.hosts}
        new = 0 if self.checker is None else int(self._new_flags(hosts))
        return tuple(
            replace(host, found_flags=known.get(host.address, 0 if host.check.is_disabled else new)) for host in hosts
        )

    def _refresh(self, hosts: tuple[Host, ...]) -> None:
        """Note what is known of these hosts; tell if it is news."""
        given = {host.address for host in self._given}
        found = tuple(self._known(host, _LEAVING * (host.address not in given)) for host in hosts)
        if found != self.hosts:
            self.hosts = found
            self._places = {}
            for place, host in enumerate(found):
                self._places.setdefault(host.address, []).append(place)
            self._changed()

    def _learned(self, address: Address) -> None:
        """Something else is known of one host. A thousand may flap: the others are not looked at."""
        hosts = list(self.hosts)
        for place in self._places.get(address, ()):
            hosts[place] = host = self._known(hosts[place], hosts[place].found_flags & _LEAVING)
            if host.found_flags & _LEAVING and host.found_flags & HealthFlag.FAILED_ACTIVE_HC:
                self.set_hosts(self._given)  # it only stayed because it was well
                return
        if hosts != list(self.hosts):
            self.hosts = tuple(hosts)
            self._changed()

    def _known(self, host: Host, flags: int) -> Host:
        """The host with these flags and those that were found."""
        if self.detector is not None and self.detector[host.address].is_ejected:
            flags |= _EJECTED
        if self.checker is not None:
            flags |= int(self.checker.flags(host.address))
        return host if host.found_flags == flags else replace(host, found_flags=flags)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.checker is not None:
            self.checker.close()

    # -- what happens

    def _has_traffic(self) -> bool:
        return self.counters.has_traffic(self.cluster.name)

    def _checked(self, address: Address, finding: Finding, changed: bool) -> None:
        """A check is over."""
        config = self.cluster.outlier_detection
        if self._is_new and self.checker and self.checker.is_warm:
            self._is_new = False
            self._warmed()
        if finding.outcome.passes and self.checker and not self.checker.flags(address) & HealthFlag.FAILED_ACTIVE_HC:
            self._begin_again(address)
            if config and self.detector and config.successful_active_health_check_uneject_host:
                changed |= self.detector.uneject(address, self._loop.time())
        if changed:
            self._learned(address)

    def _begin_again(self, address: Address) -> None:
        host = self._host(address)
        if host is not None and host.found_flags & HealthFlag.EXCLUDED_VIA_IMMEDIATE_HC_FAIL:
            self.counters.hear_again(self.cluster, host)

    def said_it_fails(self, host: Host) -> None:
        """An ordinary response of a host asked to leave it out at once."""
        if self.checker is not None and self.checker.fail(host.address):
            self._learned(host.address)

    def failed(self, host: Host, why: Ejection) -> None:
        """Workers have seen a host fail so often in a row."""
        if self.detector is None:
            return
        if self.detector.failed(host.address, why, self._loop.time()):
            self._log_ejection(host.address, why.value)
            self._learned(host.address)
        self.counters.begin_row(self.cluster, host, why)

    def _host(self, address: Address) -> Host | None:
        places = self._places.get(address)
        return self.hosts[places[0]] if places else None

    def _log_ejection(self, address: Address, why: str) -> None:
        log.warning("cluster '%s': host %s is ejected: %s", self.cluster.name, address, why)

    # -- intervals of outlier detection

    def _look_later(self) -> None:
        assert self.cluster.outlier_detection is not None
        self._timer = self._loop.call_later(self.cluster.outlier_detection.interval_s, self._look)

    def _look(self) -> None:
        assert self.detector is not None
        volumes = {host.address: self.counters.volumes(self.cluster, host) for host in self.hosts}
        for address in self.detector.look(volumes, self._loop.time()):
            if self.detector[address].is_ejected:
                self._log_ejection(address, "its rate of failures")
            else:
                log.info("cluster '%s': host %s is back", self.cluster.name, address)
                host = self._host(address)
                if host is not None:
                    self.counters.begin_row(self.cluster, host)
        self._refresh(self.hosts)
        self._look_later()
