"""Which hosts of a cluster answer so badly that they are left out for a while.

Source: Envoy's outlier detection (source/common/upstream/outlier_detection_impl.cc of 1.40).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from fastproxy.model import Address, OutlierDetection

NO_RATE = -1.0


class Ejection(Enum):
    """Why a host is ejected: the names of Envoy's counters."""

    CONSECUTIVE_5XX = "consecutive_5xx"
    CONSECUTIVE_GATEWAY_FAILURE = "consecutive_gateway_failure"
    CONSECUTIVE_LOCAL_ORIGIN_FAILURE = "consecutive_local_origin_failure"
    SUCCESS_RATE = "success_rate"
    LOCAL_ORIGIN_SUCCESS_RATE = "local_origin_success_rate"
    FAILURE_PERCENTAGE = "failure_percentage"
    LOCAL_ORIGIN_FAILURE_PERCENTAGE = "local_origin_failure_percentage"

    @property
    def is_of_origin(self) -> bool:
        """Whether it is not about answers but about connecting."""
        return "local_origin" in self.value


@dataclass(frozen=True, slots=True)
class Volume:
    """Requests to a host, and those of them that were well."""

    total: int = 0
    success: int = 0

    def since(self, before: "Volume") -> "Volume":
        return Volume(self.total - before.total, self.success - before.success)

    @property
    def rate(self) -> float:
        """Per cent."""
        return 100.0 * self.success / self.total


Volumes = tuple[Volume, Volume]
"""What hosts have answered, and what became of connecting to them."""
NO_VOLUMES = (Volume(), Volume())


@dataclass(slots=True)
class Outlier:
    """One host. `success_rates` and `counted` are of what it has answered and of connecting to it."""

    counted: Volumes | None = None
    success_rates: list[float] = field(default_factory=lambda: [NO_RATE, NO_RATE])
    is_ejected: bool = False
    ejected_at_s: float = 0.0
    released_at_s: float | None = None
    ejections: int = 0
    backoff: int = 0
    jitter_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Of all hosts with enough requests: the mean success rate, and the one below which a host is ejected."""

    average: float = NO_RATE
    ejection_threshold: float = NO_RATE


_BY_RATE = (Ejection.SUCCESS_RATE, Ejection.LOCAL_ORIGIN_SUCCESS_RATE)
_BY_PERCENTAGE = (Ejection.FAILURE_PERCENTAGE, Ejection.LOCAL_ORIGIN_FAILURE_PERCENTAGE)


class Told(Protocol):
    """Who keeps a record of ejections; see `ejection_log`."""

    def ejected(self, address: Address, host: Outlier, why: Ejection, rates: Rates, now_s: float) -> None: ...
    def unejected(self, address: Address, host: Outlier, now_s: float) -> None: ...


class Detector:
    """The hosts of one cluster. `chance` gives numbers from 0 up to but not including 1; times are in seconds."""

    def __init__(self, config: OutlierDetection, chance: Callable[[], float], told: Told) -> None:
        self.config = config
        self._chance = chance
        self._told = told
        self._hosts: dict[Address, Outlier] = {}
        self.rates = [Rates(), Rates()]
        self.detected: Counter[Ejection] = Counter()
        self.enforced: Counter[Ejection] = Counter()
        self.overflow = 0

    def __getitem__(self, address: Address) -> Outlier:
        return self._hosts[address]

    def __contains__(self, address: Address) -> bool:
        return address in self._hosts

    @property
    def ejected(self) -> int:
        """How many hosts are ejected now."""
        return sum(host.is_ejected for host in self._hosts.values())

    def keep(self, addresses: Iterable[Address]) -> None:
        """The hosts from now on; those known before stay as they are."""
        self._hosts = {address: self._hosts.get(address) or Outlier() for address in addresses}

    def inherit(self, other: "Detector") -> None:
        """Go on with the hosts and the counters of another one, whose cluster this one takes over."""
        self._hosts = other._hosts
        self.detected, self.enforced, self.overflow = other.detected, other.enforced, other.overflow

    def failed(self, address: Address, why: Ejection, now_s: float) -> bool:
        """A host has failed so often in a row; whether it is ejected by that."""
        host = self._hosts.get(address)
        return host is not None and not host.is_ejected and self._detect(address, why, now_s)

    def look(self, volumes: Mapping[Address, Volumes], now_s: float) -> list[Address]:
        """An interval is over: hosts whose time is up come back, those with bad rates go. Which have changed."""
        before = {address: host.is_ejected for address, host in self._hosts.items()}
        for address, host in self._hosts.items():
            self._release_in_time(address, host, now_s)
            host.success_rates = [NO_RATE, NO_RATE]
        recent = {address: self._recent(address, volumes.get(address, NO_VOLUMES)) for address in self._hosts}
        for kind in (0, 1):
            self._judge_rates({address: both[kind] for address, both in recent.items()}, kind, now_s)
        return [address for address, was in before.items() if self._hosts[address].is_ejected != was]

    def uneject(self, address: Address, now_s: float) -> bool:
        """A host is found to be well; whether it was ejected."""
        host = self._hosts.get(address)
        if host is None or not host.is_ejected:
            return False
        self._release(address, host, now_s)
        return True

    # -- ejections

    def _detect(self, address: Address, why: Ejection, now_s: float) -> bool:
        host = self._hosts[address]
        self.detected[why] += 1
        if not self._may_eject():
            self.overflow += 1
            return False
        if 100 * self._chance() < self._enforcing(why):
            self.enforced[why] += 1
            self._eject(host, now_s)
        self._told.ejected(address, host, why, self.rates[why.is_of_origin], now_s)
        return host.is_ejected

    def _may_eject(self) -> bool:
        active = self.ejected
        if active == 0 and self.config.always_eject_one_host:
            return True
        return 100 * (active + 1) <= min(100, self.config.max_ejection_percent) * len(self._hosts)

    def _enforcing(self, why: Ejection) -> int:
        if why is Ejection.LOCAL_ORIGIN_FAILURE_PERCENTAGE:
            return self.config.enforcing_failure_percentage_local_origin
        percent: int = getattr(self.config, f"enforcing_{why.value}")
        return percent

    def _eject(self, host: Outlier, now_s: float) -> None:
        config = self.config
        host.is_ejected, host.ejected_at_s = True, now_s
        host.ejections += 1
        host.jitter_s = config.max_ejection_time_jitter_s * self._chance()
        if host.backoff * config.base_ejection_time_s < config.max_ejection_time_s + config.base_ejection_time_s:
            host.backoff += 1

    def _release_in_time(self, address: Address, host: Outlier, now_s: float) -> None:
        """Have a host back whose time is up. One that stayed well for an interval is ejected for less next time."""
        if not host.is_ejected:
            host.backoff = max(0, host.backoff - 1)
            return
        config = self.config
        lasts_s = min(config.base_ejection_time_s * host.backoff, config.max_ejection_time_s) + host.jitter_s
        if now_s - host.ejected_at_s >= lasts_s:
            self._release(address, host, now_s)

    def _release(self, address: Address, host: Outlier, now_s: float) -> None:
        host.is_ejected, host.released_at_s = False, now_s
        self._told.unejected(address, host, now_s)

    # -- rates

    def _recent(self, address: Address, volumes: Volumes) -> Volumes:
        """What has come since the last interval."""
        host = self._hosts[address]
        before, host.counted = host.counted or volumes, volumes
        return volumes[0].since(before[0]), volumes[1].since(before[1])

    def _judge_rates(self, recent: Mapping[Address, Volume], kind: int, now_s: float) -> None:
        config = self.config
        self.rates[kind] = Rates()
        if len(self._hosts) < min(config.success_rate_minimum_hosts, config.failure_percentage_minimum_hosts):
            return
        present = {address: volume for address, volume in recent.items() if not self._hosts[address].is_ejected}
        shown = min(config.success_rate_request_volume, config.failure_percentage_request_volume)
        for address, volume in _with_volume(present, shown):
            self._hosts[address].success_rates[kind] = volume.rate
        by_rate = list(_with_volume(present, config.success_rate_request_volume))
        if by_rate and len(by_rate) >= config.success_rate_minimum_hosts:
            self._judge_success_rates(by_rate, kind, now_s)
        by_percentage = list(_with_volume(present, config.failure_percentage_request_volume))
        if by_percentage and len(by_percentage) >= config.failure_percentage_minimum_hosts:
            for address, volume in by_percentage:
                if 100.0 - volume.rate >= config.failure_percentage_threshold:
                    self._detect_present(address, _BY_PERCENTAGE[kind], now_s)

    def _judge_success_rates(self, hosts: list[tuple[Address, Volume]], kind: int, now_s: float) -> None:
        rates = [volume.rate for _, volume in hosts]
        mean = math.fsum(rates) / len(rates)
        deviation = math.sqrt(math.fsum((rate - mean) ** 2 for rate in rates) / len(rates))
        threshold = mean - self.config.success_rate_stdev_factor / 1000 * deviation
        self.rates[kind] = Rates(mean, threshold)
        for address, volume in hosts:
            if volume.rate < threshold:
                self._detect_present(address, _BY_RATE[kind], now_s)

    def _detect_present(self, address: Address, why: Ejection, now_s: float) -> None:
        """One that another rule has ejected in the same interval stays so and is not counted twice."""
        if not self._hosts[address].is_ejected:
            self._detect(address, why, now_s)


def _with_volume(recent: Mapping[Address, Volume], least: int) -> Iterator[tuple[Address, Volume]]:
    return ((address, volume) for address, volume in recent.items() if volume.total and volume.total >= least)
