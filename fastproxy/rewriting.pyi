from fastproxy import model as models
from fastproxy.model_routes import RegexRewrite

class RegexRewriter:
    def __init__(self, model: RegexRewrite) -> None: ...

class PathRewriter:
    def __init__(self, prefix: str, regex: RegexRewrite | None) -> None: ...

class HostRewriter:
    def __init__(self, model: models.Route) -> None: ...
