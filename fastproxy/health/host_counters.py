"""What the workers count of hosts for outlier detection, as the supervisor reads it.

Volumes are counted by each worker in its own row and added up here. Failures in a row are one number for all workers:
it lies in the first row, where every worker changes it atomically (`host_watch`).
"""

from collections.abc import Sequence

from fastproxy.health.outliers import Ejection, Volume, Volumes
from fastproxy.model import Cluster, Host
from fastproxy.scopes import CLUSTER_NAMES, HOST_NAMES
from fastproxy.stats import StatsLayout

_WORD = 1 << 64
_IN_A_ROW = {
    Ejection.CONSECUTIVE_5XX: "row_5xx",
    Ejection.CONSECUTIVE_GATEWAY_FAILURE: "row_gateway_failure",
    Ejection.CONSECUTIVE_LOCAL_ORIGIN_FAILURE: "row_local_origin_failure",
}


class HostCounters:
    """Those of one layout; hosts have their slots."""

    def __init__(self, layout: StatsLayout, rows: Sequence[memoryview]) -> None:
        self._layout = layout
        self._rows = rows

    def has_traffic(self, cluster_name: str) -> bool:
        """Whether a connection to the cluster was ever made for a request."""
        slot = self._layout.cluster(cluster_name) + CLUSTER_NAMES.index("upstream_cx_total")
        return any(row[slot] for row in self._rows)

    def volumes(self, cluster: Cluster, host: Host) -> Volumes:
        """The requests to the host since the start."""
        answers, origin = (
            Volume(*(self._sum(self._slot(cluster, host, f"{what}_{kind}")) for kind in ("total", "success")))
            for what in ("answers", "origin")
        )
        return answers, origin

    def begin_row(self, cluster: Cluster, host: Host, *kinds: Ejection) -> None:
        """Count failures in a row from zero again, of these kinds or of all."""
        for kind in kinds or _IN_A_ROW:
            self._rows[0][self._slot(cluster, host, _IN_A_ROW[kind])] = 0

    def hear_again(self, cluster: Cluster, host: Host) -> None:
        """Have the workers tell the next time when the host says that it fails."""
        self._rows[0][self._slot(cluster, host, "said_it_fails")] = 0

    def _slot(self, cluster: Cluster, host: Host, name: str) -> int:
        return self._layout.host(cluster.name, host.slot) + HOST_NAMES.index(name)

    def _sum(self, slot: int) -> int:
        return sum(row[slot] for row in self._rows) % _WORD
