"""The log of ejections: the JSON of Envoy's OutlierDetectionEvent, field by field in its order.

Source: envoy/data/cluster/v3/outlier_detection_event.proto, and what Envoy 1.40 writes: an end of an ejection has the
first type, whatever began it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from fastproxy.health.event_file import EventFile, timestamp
from fastproxy.health.outliers import Ejection, Outlier, Rates
from fastproxy.model import Address

_TYPES = {
    Ejection.CONSECUTIVE_5XX: "CONSECUTIVE_5XX",
    Ejection.CONSECUTIVE_GATEWAY_FAILURE: "CONSECUTIVE_GATEWAY_FAILURE",
    Ejection.CONSECUTIVE_LOCAL_ORIGIN_FAILURE: "CONSECUTIVE_LOCAL_ORIGIN_FAILURE",
    Ejection.SUCCESS_RATE: "SUCCESS_RATE",
    Ejection.LOCAL_ORIGIN_SUCCESS_RATE: "SUCCESS_RATE_LOCAL_ORIGIN",
    Ejection.FAILURE_PERCENTAGE: "FAILURE_PERCENTAGE",
    Ejection.LOCAL_ORIGIN_FAILURE_PERCENTAGE: "FAILURE_PERCENTAGE_LOCAL_ORIGIN",
}
_BY_RATE = (Ejection.SUCCESS_RATE, Ejection.LOCAL_ORIGIN_SUCCESS_RATE)
_BY_PERCENTAGE = (Ejection.FAILURE_PERCENTAGE, Ejection.LOCAL_ORIGIN_FAILURE_PERCENTAGE)


class EjectionLog:
    """The ejections of one cluster. Without a path there is no log. `clock` gives seconds since 1970."""

    def __init__(self, path: str, cluster: str, clock: Callable[[], float] = time.time) -> None:
        self._file = EventFile(path)
        self._cluster = cluster
        self._clock = clock

    def ejected(self, address: Address, host: Outlier, why: Ejection, rates: Rates, now_s: float) -> None:
        """A host is ejected or, when it is not, would have been if that were enforced."""
        since_s = None if host.released_at_s is None else now_s - host.released_at_s
        event = {"enforced": host.is_ejected, **_details(host, why, rates)}
        self._write("EJECT", address, host, why, since_s, event)

    def unejected(self, address: Address, host: Outlier, now_s: float) -> None:
        """An ejection is over."""
        since_s = now_s - host.ejected_at_s
        self._write("UNEJECT", address, host, Ejection.CONSECUTIVE_5XX, since_s, {"enforced": False})

    def _write(
        self,
        action: str,
        address: Address,
        host: Outlier,
        why: Ejection,
        since_s: float | None,
        more: Mapping[str, Any],
    ) -> None:
        since = {} if since_s is None else {"secs_since_last_action": str(int(since_s))}
        self._file.write(
            {
                "type": _TYPES[why],
                "timestamp": timestamp(self._clock()),
                **since,
                "cluster_name": self._cluster,
                "upstream_url": str(address),
                "action": action,
                "num_ejections": host.ejections,
                **more,
            }
        )


def _details(host: Outlier, why: Ejection, rates: Rates) -> dict[str, Any]:
    """What the host was judged by; rates are in per cent, without fractions."""
    if why in _BY_RATE:
        found = {
            "host_success_rate": int(host.success_rates[_BY_RATE.index(why)]),
            "cluster_average_success_rate": int(rates.average),
            "cluster_success_rate_ejection_threshold": int(rates.ejection_threshold),
        }
        return {"eject_success_rate_event": found}
    if why in _BY_PERCENTAGE:
        rate = int(host.success_rates[_BY_PERCENTAGE.index(why)])
        return {"eject_failure_percentage_event": {"host_success_rate": rate}}
    return {"eject_consecutive_event": {}}
