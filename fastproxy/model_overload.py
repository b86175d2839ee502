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
    REDUCE_TIMEOUTS = "envoy.overload_actions.reduce_timeouts"


class LoadShedPoint(Enum):
    """Where load can be shed. The places are those of the bytes of a second word."""

    TCP_LISTENER_ACCEPT = "envoy.load_shed_points.tcp_listener_accept"
    HTTP_CONNECTION_MANAGER_DECODE_HEADERS = "envoy.load_shed_points.http_connection_manager_decode_headers"
    HTTP1_SERVER_ABORT_DISPATCH = "envoy.load_shed_points.http1_server_abort_dispatch"
    HCM_ONDATA_CREATING_CODEC = "envoy.load_shed_points.hcm_ondata_creating_codec"
    HTTP_DOWNSTREAM_FILTER_CHECK = "envoy.load_shed_points.http_downstream_filter_check"
    CONNECTION_POOL_NEW_CONNECTION = "envoy.load_shed_points.connection_pool_new_connection"


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

    action: OverloadAction | LoadShedPoint
    triggers: tuple[OverloadTrigger, ...]


class TimerType(Enum):
    """What REDUCE_TIMEOUTS can make shorter. The place in this list is the timer's in a worker (`overload`)."""

    HTTP_DOWNSTREAM_CONNECTION_IDLE = "idle_timeout"
    HTTP_DOWNSTREAM_STREAM_IDLE = "stream_idle_timeout"
    HTTP_DOWNSTREAM_CONNECTION_MAX = "max_connection_duration"


@dataclass(frozen=True, slots=True)
class ScaledTimer:
    """How short a timer becomes when the action goes all the way: `min_s`, or else this share of what it is."""

    timer: TimerType
    min_s: float | None = None
    min_share: float = 0.0


@dataclass(frozen=True, slots=True)
class OverloadManager:
    refresh_interval_s: float = 1.0
    monitors: tuple[ResourceMonitor, ...] = ()
    actions: tuple[TriggeredAction, ...] = ()
    """And the points at which load is shed."""
    max_downstream_connections: int = 0
    """Of all workers and listeners together; 0: not limited."""
    timers: tuple[ScaledTimer, ...] = ()
    """That REDUCE_TIMEOUTS makes shorter."""


NO_OVERLOAD_MANAGER = OverloadManager()
