"""Nothing for Python: `inspection` shows what it does with given bytes."""

class Connections:
    now_ms: int
    open_count: int
    def __init__(self) -> None: ...
