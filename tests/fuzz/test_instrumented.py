"""The data plane with sanitizers and assertions: a short run of each fuzz target, and the tests of what has to do with
bytes of others.

A crash leaves its input in the message.
"""

import subprocess
import sys
from itertools import chain

import pytest

from tests.fuzz import instrumented
from tests.fuzz.campaign import FOLDER, ROOT, TARGETS, run_all

pytestmark = pytest.mark.timeout(600)  # the build is the first test's

BOUNDS = ["-seed=1", "-runs=4000", "-max_total_time=4"]
"""Of each target: the same inputs in every run on the same machine; `make fuzz` looks for others."""
TESTS = (
    "_session_hosts", "_sessions", "accepting", "access_log", "addresses", "admission", "affinity_policy", "bodies",
    "client_address", "connections", "cors", "domains", "engine", "exchange_*", "filter_chains", "filter_state",
    "frames", "hash_policies", "head_fields", "head_guard", "head_spelling", "header_rules", "heads", "http1",
    "issued_ids", "json_members", "keyed_buckets", "log_operations", "log_record", "matching", "mutation",
    "open_packets", "origins", "path_matching", "path_normalization", "payloads", "pools", "redirects", "referer",
    "reply_mapping", "request_values", "rewriting", "sent_requests", "session_placement", "tcp_proxy", "timers",
    "tunnel", "tunnel_meters", "upstream",
)  # fmt: skip
"""Of what reads, keeps or writes what others have sent."""
PROPERTIES = ["http1", "packets"]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    instrumented.build()


def test_every_target_has_kept_inputs():
    assert {path.name for path in (FOLDER / "corpus").iterdir()} == set(TARGETS)
    assert all(any((FOLDER / "corpus" / target).iterdir()) for target in TARGETS)


def test_a_short_run_of_every_target(tmp_path):
    targets = [target for target in TARGETS if target != "loader"]  # it is Python, and has a run of its own
    for outcome in run_all(targets, BOUNDS, tmp_path):
        assert outcome.status == 0, outcome
        assert outcome.executions > 0, outcome


def test_the_tests_of_what_meets_bytes_of_others():
    found = {name: sorted((ROOT / "tests" / "unit").glob(f"test_{name}.py")) for name in TESTS}
    assert all(found.values()), found
    files = [*map(str, chain(*found.values())), *(f"tests/property/test_{name}.py" for name in PROPERTIES)]
    options = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-o", f"pythonpath={instrumented.FOLDER} {ROOT}"]
    command = [sys.executable, "-P", "-m", "pytest", *options, *files]
    ended = subprocess.run(
        command, cwd=ROOT, env=instrumented.environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-6000:]
