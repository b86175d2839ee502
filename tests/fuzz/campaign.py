"""Runs the targets from their kept inputs, two at a time: `python -m tests.fuzz.campaign SECONDS [TARGET...]`.

Each target stands in a file of its name; its kept inputs in corpus/, one that fails in the artifacts of the run. What
is found on the way stays in build/fuzz/corpus, and the next run begins with it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import instrumented

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
TARGETS = {
    "request_head": "http", "response_head": "http", "chunks": "http", "requests": "http", "packets": "http",
    "session_table": "", "admin": "admin", "loader": "loader", "health_answers": "http",
    "exchanges": "http",
}  # fmt: skip
"""And their dictionaries."""
IN_PYTHON = ("admin", "loader", "health_answers")
"""libFuzzer sees what runs there, but not beside a sanitizer that was loaded before it."""
LIMITS = ("-rss_limit_mb=2048", "-timeout=20", "-max_len=4096", "-print_final_stats=1", "-print_funcs=0")
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    target: str
    status: int
    executions: int
    output: str
    failed: tuple[bytes, ...]
    """The inputs that did it."""

    def __str__(self) -> str:
        what = "ok" if self.status == 0 else f"FAILED: {self.failed}\n{self.output[-6000:]}"
        return f"{self.target}: {self.executions} executions, {what}"


def run(target: str, bounds: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Outcome:
    """`bounds` are libFuzzer's, of how long it takes; `folder` gets what is new, and inputs that fail."""
    grown, artifacts = folder / target, folder / f"{target}.artifacts"
    grown.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(exist_ok=True)
    dictionary = [f"-dict={FOLDER / TARGETS[target]}.dict"] if TARGETS[target] else []
    limits = [*LIMITS, *bounds, f"-artifact_prefix={artifacts}/", *dictionary]
    safe = [] if target in IN_PYTHON else ["-P"]  # the instrumented modules come before those of the tree
    command = [
        sys.executable,
        *safe,
        "-m",
        f"tests.fuzz.{target}",
        str(grown),
        str(FOLDER / "corpus" / target),
        *limits,
    ]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    output = ended.stderr.decode("utf-8", "replace")
    executions = re.search(r"number_of_executed_units:\s*(\d+)", output)
    inputs = tuple(path.read_bytes() for path in artifacts.iterdir())
    return Outcome(target, ended.returncode, int(executions[1]) if executions else 0, output, inputs)


def run_all(targets: Sequence[str], bounds: Sequence[str], folder: Path) -> list[Outcome]:
    around = {False: instrumented.environment(), True: dict(os.environ)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda target: run(target, bounds, folder, around[target in IN_PYTHON]), targets))


def main(arguments: Sequence[str]) -> int:
    seconds, *targets = arguments
    instrumented.build()
    bounds = [f"-max_total_time={int(seconds)}"]
    outcomes = run_all(targets or list(TARGETS), bounds, instrumented.FOLDER / "corpus")
    for outcome in outcomes:
        print(outcome)
    return any(outcome.status for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
