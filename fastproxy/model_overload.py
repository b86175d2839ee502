"""What a server does under pressure: which resources are watched, and what happens at which of their thresholds.

Envoy's nouns (envoy.config.overload.v3). A pressure is a share of what a resource may have, 1 when all of it is used.
"""

from dataclasses import dataclass
from enum import Enum


class OverloadAction(Enum):
    """What can be done. The place in this list is the action's byte in the word that workers read (`overload`)."""

    STOP_ACCEPTING_REQUESTS = "envoy.overload_actions.stop_accepting_requests"
    STOP_ACCEPTING_CONNECTIONS = "envoy.overload_actions.stop_accepting_connections"
    REJECT_INCOMING_CONNECTIONS = "envoy.overload_actions.reject_incoming_connections"
    DISABLE_HTTP_KEEPALIVE = "envoy.overload_actions.disable_http_keepalive"
    SHRINK_HEAP = "envoy.overload_actions.shrink_heap"
    REFUSE_NEW_SESSIONS = "fastproxy.overload_actions.refuse_new_sessions"


class ResourceKind(Enum):
    FIXED_HEAP = "fixed_heap"
    CGROUP_MEMORY = "cgroup_memory"
    DOWNSTREAM_CONNECTIONS = "downstream_connections"
    INJECTED_RESOURCE = "injected_resource"


@dataclass(frozen=True, slots=True)
class ResourceMonitor:
    """`limit` is in bytes, or a number of connections; 0 with CGROUP_MEMORY: what the group may have."""

    name: str
    kind: ResourceKind
    limit: int = 0
    path: str = ""
    """Of the file that says the pressure of an INJECTED_RESOURCE."""


@dataclass(frozen=True, slots=True)
class OverloadTrigger:
    """Below `scaling` nothing is done, from `saturation` on everything; a plain threshold is both."""

    monitor: str
    scaling: float
    saturation: float

    def scale(self, pressure: float) -> float:
        """How far the action is to go, 0 to 1."""
        if pressure >= self.saturation:
            return 1.0
        return max(0.0, (pressure - self.scaling) / (self.saturation - self.scaling)) if self.is_scaled else 0.0

    @property
    def is_scaled(self) -> bool:
        return self.scaling < self.saturation


@dataclass(frozen=True, slots=True)
class TriggeredAction:
    """Goes as far as that of its triggers which goes furthest."""

    action: OverloadAction
    triggers: tuple[OverloadTrigger, ...]


@dataclass(frozen=True, slots=True)
class OverloadManager:
    refresh_interval_s: float = 1.0
    monitors: tuple[ResourceMonitor, ...] = ()
    actions: tuple[TriggeredAction, ...] = ()
    max_downstream_connections: int = 0
    """Of all workers and listeners together; 0: not limited."""


NO_OVERLOAD_MANAGER = OverloadManager()
