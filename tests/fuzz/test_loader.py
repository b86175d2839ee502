"""A short run of the fuzz target, from the inputs that are kept; a crash leaves its input in the message."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
CORPUS = sorted((FOLDER / "corpus" / "loader").iterdir())
SECONDS = 10
MEGABYTES = 2048
SLOWEST_S = 20


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The target in a process of its own: atheris changes the modules that it watches."""
    command = [sys.executable, "-m", "tests.fuzz.loader", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_inputs_that_are_kept():
    assert CORPUS
    ended = run(*CORPUS)
    assert ended.returncode == 0, ended.stderr[-4000:]
    assert all(f"Executed {path}" in ended.stderr for path in CORPUS)


@pytest.mark.timeout(300)
def test_a_short_run(tmp_path):
    grown = tmp_path / "corpus"
    shutil.copytree(FOLDER / "corpus" / "loader", grown)
    limits = [f"-max_total_time={SECONDS}", f"-rss_limit_mb={MEGABYTES}", f"-timeout={SLOWEST_S}", "-max_len=65536"]
    where = [f"-artifact_prefix={tmp_path}/", f"-dict={FOLDER / 'loader.dict'}"]
    ended = run(grown, *limits, *where)
    inputs = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert ended.returncode == 0, f"{inputs}\n{ended.stderr[-4000:]}"
    assert inputs == []
