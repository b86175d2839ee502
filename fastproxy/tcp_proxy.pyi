from fastproxy import model as models
from fastproxy.access_log import AccessLog
from fastproxy.stats import StatsLayout
from fastproxy.upstream import Cluster

class TcpProxy:
    model: models.TcpProxy
    access_logs: list[AccessLog]
    clusters: list[Cluster]
    def __init__(
        self,
        model: models.TcpProxy,
        layout: StatsLayout,
        listener_index: int,
        row: memoryview,
        clusters: dict[str, Cluster],
        logs: dict[models.AccessLog, AccessLog],
    ) -> None: ...
    def supersede(self) -> None: ...
    def choose_py(self, local: tuple[str, int], remote: tuple[str, int], random: int = 0) -> str | None: ...

def log_of(model: models.AccessLog, logs: dict[models.AccessLog, AccessLog]) -> AccessLog: ...
