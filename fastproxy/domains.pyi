from collections.abc import Sequence

class DomainSet:
    def __init__(self, entries: Sequence[tuple[bytes, int]]) -> None: ...

class Domains:
    patterns: tuple[str, ...]
    owners: tuple[int, ...]
    def __init__(self, domains: Sequence[Sequence[str]]) -> None: ...
