from typing import TypedDict

from fastproxy.model_routes import RouteMatch
from fastproxy.routing import Route, RouteTable

class PassedOver(TypedDict):
    number: int
    name: str
    why: str

class Explanation(TypedDict):
    virtual_host: str | None
    domain: str | None
    passed_over: list[PassedOver]
    number: int | None
    route: Route | None
    action: str
    status: int | None
    location: str | None
    cluster: str | None
    path: str | None
    host: str | None

def path_words(match: RouteMatch) -> str: ...
def explain(table: RouteTable, head: bytes, random: int = 0) -> Explanation: ...
