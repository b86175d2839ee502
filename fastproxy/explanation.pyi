from collections.abc import Collection
from typing import Any, TypedDict

from fastproxy.runtime import Manager

class HashStep(TypedDict):
    policy: str
    values: list[str] | None
    hash: str | None
    terminal: bool
    cookie: str | None

class Hashed(TypedDict):
    policies: list[HashStep]
    hash: str | None

class Way(TypedDict):
    client: str
    refused: str | None
    route: dict[str, Any] | None
    session: str | None
    affinity: str | None  # as %FASTPROXY_AFFINITY%: asked, hash, least, random; what a known session overrides
    hash: Hashed | None
    balancer: dict[str, Any] | None
    node: str | None
    is_certain: bool
    next: list[str]
    limits: list[str]  # what the request is held to, in words

class Follower:
    def __init__(self, manager: Manager, draw: int = 0) -> None: ...
    def follow(self, head: bytes, source: str, down: Collection[str] = ()) -> Way: ...
