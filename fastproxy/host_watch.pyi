from collections.abc import Callable

class HostWatch:
    report: Callable[[str, str, str], None] | None
