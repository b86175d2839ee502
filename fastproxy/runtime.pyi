from fastproxy import model as models
from fastproxy._sessions import SessionTable
from fastproxy.access_log import AccessLog
from fastproxy.routing import RouteTable
from fastproxy.stats import StatsLayout
from fastproxy.upstream import Cluster, Host

class Manager:
    model: models.HttpConnectionManager
    routes: RouteTable
    access_logs: list[AccessLog]
    successor: Manager | None
    superseded: bool

class Runtime:
    clusters: dict[str, Cluster]
    managers: list[Manager]
    sessions: SessionTable | None
    max_head_bytes: int
    configuration: models.Configuration
    layout: StatsLayout
    open_logs: dict[models.AccessLog, AccessLog]
    def __init__(
        self,
        configuration: models.Configuration,
        layout: StatsLayout,
        row: memoryview,
        sessions: memoryview | None,
        session_key: bytes,
        previous: Runtime | None = None,
    ) -> None: ...
    def next(self, configuration: models.Configuration, layout: StatsLayout) -> Runtime: ...
    def take_over(self, previous: Runtime) -> list[Host]: ...
    @property
    def access_logs(self) -> list[AccessLog]: ...

def milliseconds(seconds: float | None) -> int: ...
