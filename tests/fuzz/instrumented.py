"""The modules that read hostile bytes, built a second time: with sanitizers, assertions, and coverage for libFuzzer.

`python -m tests.fuzz.instrumented` builds them. They stand in build/fuzz beside links to everything else of the package
as it was built before, so the tree's own extensions stay what they are. gcc serves: see coverage.c.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "fuzz"
COVERAGE = FOLDER / "coverage.so"
MODULES = (
    "http1", "bodies", "head_guard", "frames", "payloads", "open_packets", "json_members", "affinity", "admission",
    "referer", "_sessions", "_session_slots", "_session_hosts", "inspection", "log_operations", "path_normalization",
)  # fmt: skip


def build(modules: tuple[str, ...] = MODULES) -> None:
    """Only what changed since the last time. CalledProcessError when it cannot be built."""
    package = FOLDER / "fastproxy"
    shutil.rmtree(package, ignore_errors=True)
    _link(ROOT / "fastproxy", package, {module.replace(".", "/") for module in modules})
    names = ",".join(f"fastproxy.{module}" for module in modules)
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", str(FOLDER)]
    environment = {
        **os.environ,
        "FASTPROXY_DEBUG": "1",
        "FASTPROXY_SANITIZE": "1",
        "FASTPROXY_COVERAGE": "1",
        "FASTPROXY_STRICT": "0",
    }
    compile_coverage = [*_compiler(), "-O2", "-shared", "-fPIC", "-o", str(COVERAGE)]
    subprocess.run([*compile_coverage, str(Path(__file__).with_name("coverage.c"))], check=True)
    folder = ["--build-temp", str(FOLDER / "objects"), "--only", names]
    subprocess.run([*command, *folder], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _link(source: Path, target: Path, left_out: set[str]) -> None:
    """Every file of the package but the extensions of these modules."""
    for file in sorted(source.rglob("*")):
        name = file.relative_to(source)
        if file.suffix not in (".py", ".so") or str(name.with_name(name.name.split(".")[0])) in left_out:
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).symlink_to(file)


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
        "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
        "FASTPROXY_FUZZ_COVERAGE": str(COVERAGE),
    }


if __name__ == "__main__":
    build()
