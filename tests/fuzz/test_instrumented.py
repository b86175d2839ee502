"""The modules that read hostile bytes, with sanitizers and assertions: a short run of each fuzz target, their tests.

A crash leaves its input in the message.
"""

import subprocess
import sys

import pytest

from tests.fuzz import instrumented
from tests.fuzz.campaign import FOLDER, ROOT, TARGETS, run_all

BOUNDS = ["-seed=1", "-runs=4000", "-max_total_time=4"]
"""Of each target: the same inputs in every run on the same machine; `make fuzz` looks for others."""
TESTS = [
    f"tests/unit/test_{name}.py"
    for name in ("http1", "bodies", "head_guard", "frames", "payloads", "open_packets", "json_members", "admission")
] + [f"tests/unit/test_{name}.py" for name in ("referer", "_sessions", "_session_hosts", "path_normalization")]
PROPERTIES = ["http1", "packets"]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    instrumented.build()


def test_every_target_has_kept_inputs():
    assert {path.name for path in (FOLDER / "corpus").iterdir()} == set(TARGETS)
    assert all(any((FOLDER / "corpus" / target).iterdir()) for target in TARGETS)


@pytest.mark.timeout(300)
def test_a_short_run_of_every_target(tmp_path):
    targets = [target for target in TARGETS if target != "loader"]  # it is Python, and has a run of its own
    for outcome in run_all(targets, BOUNDS, tmp_path):
        assert outcome.status == 0, outcome
        assert outcome.executions > 0, outcome


@pytest.mark.timeout(300)
def test_the_tests_of_these_modules():
    files = [*TESTS, *(f"tests/property/test_{name}.py" for name in PROPERTIES)]
    options = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-o", f"pythonpath={instrumented.FOLDER} {ROOT}"]
    command = [sys.executable, "-P", "-m", "pytest", *options, *files]
    ended = subprocess.run(
        command, cwd=ROOT, env=instrumented.environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-6000:]
