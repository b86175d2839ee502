"""`python -m fastproxy`."""

import subprocess
import sys

import fastproxy
from tests.support.processes import ROOT


def test_it_is_the_command():
    argv = [sys.executable, "-m", "fastproxy", "--version"]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, timeout=30, check=True)
    assert done.stdout == f"fastproxy {fastproxy.__version__}\n"
