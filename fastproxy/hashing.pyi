from collections.abc import Sequence

from fastproxy.model import HeaderHashPolicy

class HashPolicy:
    header_name: bytes
    terminal: bool
    def __init__(self, model: HeaderHashPolicy) -> None: ...

class HashPolicies:
    policies: tuple[HashPolicy, ...]
    def __init__(self, models: Sequence[HeaderHashPolicy]) -> None: ...
