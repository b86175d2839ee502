"""The comparison with the peers runs, and finds a fault where there is one."""

from collections.abc import Sequence

import pytest

from tests.corpus.beside import THEMES, Result, play_faults, play_themes, table
from tests.corpus.cases import Case

NAMES = {"a name", "two different Hosts", "a slash"}
FAULT = "the client of a tunnel that has ended is released"
FEW: dict[str, Sequence[Case]] = {"Host": [case for case in THEMES["Host"] if case.name in NAMES]}


@pytest.mark.parametrize(
    ("kind", "unsafe", "fault"), [("fastproxy", [], ""), ("Envoy", ["two different Hosts"], "held for")]
)
def test_a_proxy(kind: str, unsafe: list[str], fault: str) -> None:
    result = play_themes(kind, FEW, 5.0)
    assert list(result.unsafe["Host"]) == unsafe
    assert result.unserved["Host"] == []
    assert play_faults(kind, [FAULT])[FAULT].startswith(fault)


def test_the_table() -> None:
    ours = Result({"Host": {}}, {"Host": []}, {FAULT: ""})
    theirs = Result({"Host": {"two different Hosts": "why"}}, {"Host": ["a name"]}, {FAULT: "held for 1.0 s"})
    lines = table({"fastproxy": ours, "Envoy": theirs}, FEW).splitlines()
    assert lines[:3] == ["| | rows | fastproxy | Envoy |", "| - | - | - | - |", "| Host | 3 | 0 | 1 (1) |"]
    assert "| joins two Hosts | 3 | right | 1 unsafe |" in lines
    assert f"| {FAULT} | 1 | right | held for 1.0 s |" in lines
