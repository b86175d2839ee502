from collections.abc import Iterable

def verdicts(
    limits: tuple[float, float, float, float, int, bool], sent: Iterable[tuple[int, int, int, int]]
) -> list[tuple[str, int]]: ...
