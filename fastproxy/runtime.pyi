from fastproxy import model as models
from fastproxy._sessions import SessionTable
from fastproxy.access_log import AccessLog
from fastproxy.routing import RouteTable
from fastproxy.stats import StatsLayout
from fastproxy.upstream import Cluster

class Manager:
    model: models.HttpConnectionManager
    routes: RouteTable
    access_logs: list[AccessLog]

class Runtime:
    clusters: dict[str, Cluster]
    managers: list[Manager]
    sessions: SessionTable | None
    max_head_bytes: int
    def __init__(
        self,
        configuration: models.Configuration,
        layout: StatsLayout,
        row: memoryview,
        sessions: memoryview | None,
        session_key: bytes,
    ) -> None: ...
    @property
    def access_logs(self) -> list[AccessLog]: ...

def milliseconds(seconds: float | None) -> int: ...
