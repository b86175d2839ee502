from collections.abc import Sequence
from typing import NamedTuple

from fastproxy.hash_policies import HashPolicy
from fastproxy.model import HashPolicy as Model

class Step(NamedTuple):
    policy: str
    values: list[bytes] | None
    hash: int | None
    combined: int | None
    ends: bool
    set_cookie: bytes | None

class HashPolicies:
    policies: tuple[HashPolicy, ...]
    makes_cookies: bool
    def __init__(self, models: Sequence[Model]) -> None: ...
