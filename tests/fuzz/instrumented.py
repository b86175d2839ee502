"""The data plane, built a second time: with sanitizers, assertions, and coverage for libFuzzer.

`python -m tests.fuzz.instrumented` builds it. It stands in build/fuzz beside links to what is Python, so the tree's own
extensions stay what they are. gcc serves: see coverage.c.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "fuzz"
COVERAGE = FOLDER / "coverage.so"


def build() -> None:
    """Only what changed since the last time. CalledProcessError when it cannot be built."""
    package = FOLDER / "fastproxy"
    package.mkdir(parents=True, exist_ok=True)
    _link(ROOT / "fastproxy", package)
    coverage = [*_compiler(), "-O2", "-shared", "-fPIC", "-o", str(COVERAGE)]
    subprocess.run([*coverage, str(Path(__file__).with_name("coverage.c"))], check=True)
    environment = {**os.environ, "FASTPROXY_FUZZ": "1", "FASTPROXY_STRICT": "0", "FASTPROXY_DEBUG": "0"}
    folders = ["--build-lib", str(FOLDER), "--build-temp", str(FOLDER / "objects")]
    command = [sys.executable, "setup.py", "--quiet", "build_ext", *folders]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _link(source: Path, target: Path) -> None:
    """Every module of the package that is Python; what else stands there is what was built before."""
    for link in [file for file in target.rglob("*") if file.is_symlink()]:
        link.unlink()
    for file in sorted(source.rglob("*.py")):
        link = target / file.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)


def _compiler() -> list[str]:
    return os.environ.get("CC", "gcc").split()


def _library(name: str) -> str:
    command = [*_compiler(), f"-print-file-name={name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def environment() -> dict[str, str]:
    """What a process needs to use them: the sanitizers have to be there before Python, which leaks at its end."""
    preloaded = [str(COVERAGE), _library("libasan.so"), _library("libubsan.so"), _library("libstdc++.so.6")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(FOLDER), str(ROOT)]),
        "LD_PRELOAD": " ".join(preloaded),
        "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0:allocator_may_return_null=1:quarantine_size_mb=32",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
        "FASTPROXY_FUZZ_COVERAGE": str(COVERAGE),
    }


if __name__ == "__main__":
    build()
