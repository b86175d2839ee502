"""The log of what checks change: a line of JSON for each event, as Envoy's health check event log."""

import time
from collections.abc import Callable
from typing import Any

from fastproxy.health.checks import CheckState, Finding, Outcome
from fastproxy.health.event_file import EventFile, timestamp
from fastproxy.model import Address, EngineIoProbe, HealthCheck, HealthFlag, HttpProbe

_FAILURE_TYPES = {Outcome.NETWORK: "NETWORK", Outcome.TIMEOUT: "NETWORK_TIMEOUT", Outcome.PASSIVE: "PASSIVE"}


def checker_type(check: HealthCheck) -> str:
    """What Envoy calls the kind of a check; ours is a kind of its own."""
    if isinstance(check.probe, HttpProbe):
        return "HTTP"
    return "ENGINE_IO" if isinstance(check.probe, EngineIoProbe) else "TCP"


class EventLog:
    """The events of one cluster. Without a path there is none."""

    def __init__(self, check: HealthCheck, cluster: str, clock: Callable[[], float] = time.time) -> None:
        self._check = check
        self._cluster = cluster
        self._clock = clock
        self._file = EventFile(check.event_log_path)

    def tell(self, address: Address, before: CheckState, after: CheckState, finding: Finding) -> None:
        """Write what an outcome has changed; `before` is a copy of what the host was."""
        if not self._file:
            return
        gone, come = before.flags & ~after.flags, after.flags & ~before.flags
        failure = {"failure_type": _FAILURE_TYPES.get(finding.outcome, "ACTIVE")}
        first = {"first_check": before.is_first}
        if come & HealthFlag.FAILED_ACTIVE_HC:
            self._write(address, "eject_unhealthy_event", failure)
        if gone & HealthFlag.FAILED_ACTIVE_HC:
            self._write(address, "add_healthy_event", first)
        if come & HealthFlag.DEGRADED_ACTIVE_HC:
            self._write(address, "degraded_healthy_host", {})
        if gone & HealthFlag.DEGRADED_ACTIVE_HC:
            self._write(address, "no_longer_degraded_host", {})
        if not finding.outcome.passes and (before.is_first or self._check.always_log_failures):
            self._write(address, "health_check_failure_event", {**failure, **first})
        if finding.outcome.passes and self._check.always_log_successes:
            self._write(address, "successful_health_check_event", {})

    def _write(self, address: Address, event: str, members: dict[str, Any]) -> None:
        self._file.write(
            {
                "health_checker_type": checker_type(self._check),
                "host": _address(address),
                "cluster_name": self._cluster,
                "timestamp": timestamp(self._clock()),
                event: members,
            }
        )


def _address(address: Address) -> dict[str, Any]:
    if address.path:
        return {"pipe": {"path": address.path}}
    return {"socket_address": {"address": address.host, "port_value": address.port}}
