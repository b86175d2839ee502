from collections.abc import Sequence

from fastproxy.model import FilterChainMatch

class FilterChains:
    size: int
    def __init__(self, matches: Sequence[FilterChainMatch]) -> None: ...
    def find_py(self, local: tuple[str, int], remote: tuple[str, int]) -> int: ...
