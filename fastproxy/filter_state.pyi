from collections.abc import Sequence

from fastproxy.model import FilterStateValue

class SetFilterState:
    def __init__(self, models: Sequence[FilterStateValue]) -> None: ...
