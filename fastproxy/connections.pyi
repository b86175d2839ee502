"""Nothing for Python: `inspection` shows what it does with given bytes."""

class Connections:
    now_ms: int
    open_count: int
    def __init__(self) -> None: ...

def read_limit_of(buffer_limit_bytes: int) -> int: ...
