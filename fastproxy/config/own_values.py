"""Values of the `fastproxy` filter's keys, which no schema checks."""

from fastproxy.config.tree import Node, Report, describe


def flag(node: Node, report: Report) -> bool | None:
    """True or false; None, reported, for anything else."""
    if isinstance(node.value, bool):
        return node.value
    report.error(node, f"expected true or false, not {describe(node)}")
    return None


def whole(node: Node, least: int, most: int, why: str, report: Report) -> int | None:
    """A whole number within bounds; None, reported with the reason, for anything else."""
    value = node.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    reason = f" ({why})" if why else ""
    report.error(node, f"expected a whole number from {least} to {most}{reason}, not {describe(node)}")
    return None


def number(node: Node, least: float, most: float, report: Report) -> float | None:
    """A number within bounds; None, reported, for anything else."""
    value = node.value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most:
        return float(value)
    report.error(node, f"expected a number from {least:g} to {most:g}, not {describe(node)}")
    return None


def text(node: Node, choices: tuple[str, ...], report: Report) -> str | None:
    """One of some words; None, reported, for anything else."""
    if isinstance(node.value, str) and node.value in choices:
        return node.value
    report.error(node, f"expected {' or '.join(choices)}, not {describe(node)}")
    return None
