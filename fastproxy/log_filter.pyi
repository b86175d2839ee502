import fastproxy.model

class LogFilter:
    model: fastproxy.model.LogFilter
    def __init__(self, model: fastproxy.model.LogFilter) -> None: ...
    def admits_py(
        self, status: int = 0, duration_ms: int = 0, flags: tuple[str, ...] = (), start_us: int = 0
    ) -> bool: ...
