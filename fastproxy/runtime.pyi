from collections.abc import Sequence

from fastproxy import model as models
from fastproxy._sessions import SessionTable
from fastproxy.access_log import AccessLog
from fastproxy.limit_tables import LimitTables
from fastproxy.routing import RouteTable
from fastproxy.stats import StatsLayout
from fastproxy.tcp_proxy import TcpProxy
from fastproxy.timers import milliseconds as milliseconds
from fastproxy.upstream import Cluster, Host

class Manager:
    model: models.HttpConnectionManager
    routes: RouteTable
    access_logs: list[AccessLog]
    successor: Manager | None
    superseded: bool

class Chain:
    manager: Manager | None
    tcp_proxy: TcpProxy | None

class Listener:
    model: models.Listener
    chains: list[Chain]
    default: Chain | None
    @property
    def served(self) -> list[Chain]: ...
    def supersede(self, successor: Listener | None) -> None: ...
    def managers(self) -> dict[models.FilterChainMatch | None, Manager]: ...

class Runtime:
    clusters: dict[str, Cluster]
    listeners: list[Listener]
    managers: list[Manager]
    tcp_proxies: list[TcpProxy]
    sessions: SessionTable | None
    max_head_bytes: int
    configuration: models.Configuration
    layout: StatsLayout
    tables: LimitTables
    open_logs: dict[models.AccessLog, AccessLog]
    def __init__(
        self,
        configuration: models.Configuration,
        layout: StatsLayout,
        row: memoryview,
        sessions: memoryview | None,
        session_key: bytes,
        previous: Runtime | None = None,
        rows: Sequence[memoryview] | None = None,
        tables: LimitTables | None = None,
    ) -> None: ...
    def next(self, configuration: models.Configuration, layout: StatsLayout) -> Runtime: ...
    def sweep(self, now_s: int) -> int: ...
    def take_over(self, previous: Runtime) -> list[Host]: ...
    @property
    def access_logs(self) -> list[AccessLog]: ...
