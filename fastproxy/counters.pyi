"""The members of each enum stand in counters.pxd, in slot order; the last one is the number of slots."""

from enum import IntEnum

class ListenerCounter(IntEnum):
    LISTENER_COUNTERS = ...

class HttpCounter(IntEnum):
    HTTP_COUNTERS = ...

class RouteCounter(IntEnum):
    ROUTE_COUNTERS = ...

class LocalRateLimitCounter(IntEnum):
    LOCAL_RATE_LIMIT_COUNTERS = ...

class ConnectionLimitCounter(IntEnum):
    CONNECTION_LIMIT_COUNTERS = ...

class TcpCounter(IntEnum):
    TCP_COUNTERS = ...

class ClusterCounter(IntEnum):
    CLUSTER_COUNTERS = ...

class HostCounter(IntEnum):
    HOST_COUNTERS = ...

class FilesystemCounter(IntEnum):
    FILESYSTEM_COUNTERS = ...
