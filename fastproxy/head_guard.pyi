"""Nothing for Python: `inspection` shows what it does with given bytes."""

class HeadGuard:
    def __init__(self) -> None: ...
