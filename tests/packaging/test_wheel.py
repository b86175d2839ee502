"""The wheel: built as a user builds it, looked into, and run where nothing else is installed."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import fastproxy
from tests.support.source_tree import ROOT, files, modules

BUILD_TIMEOUT_S = 800
SMOKE = Path(__file__).with_name("smoke.py")
# What the wheel brings in beside fastproxy, for whoever installs it. A new one is a decision.
RUNTIME = {"aiohttp", "dnspython", "google-re2", "httptools", "protobuf", "pyyaml", "uvloop", "xds-protos"}

pytestmark = pytest.mark.timeout(BUILD_TIMEOUT_S)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the tree: setuptools writes to the one that it builds from, where other tests look around."""
    folder = tmp_path_factory.mktemp("sources")
    for path in files():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return folder


@pytest.fixture(scope="module")
def compiler(tmp_path_factory):
    """The C compiler in a hurry: the modules that every other test uses were optimised, these are only to run."""
    script = tmp_path_factory.mktemp("compiler") / "cc"
    script.write_text('#!/bin/sh\nexec cc "$@" -O0 -U_FORTIFY_SOURCE\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory, sources, compiler):
    """Built from a source distribution, so that what that one leaves out is missing here too."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, sources, cwd=sources, CC=compiler)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_nothing_but_the_package(names):
    tops = {name.split("/")[0] for name in names}
    assert tops == {"fastproxy", f"fastproxy-{fastproxy.__version__}.dist-info"}


def test_every_module_is_there(names):
    compiled = {name.split(".")[0] for name in names if name.endswith(".so")}
    for module, paths in modules().items():
        path = module.replace(".", "/")
        if any(each.suffix == ".pyx" for each in paths):
            assert path in compiled
        elif any(each.suffix == ".py" for each in paths):
            assert {f"{path}.py", f"{path}/__init__.py"} & set(names)


def test_types_but_no_sources_of_c(names):
    assert "fastproxy/py.typed" in names
    stubs = {str(path.relative_to(ROOT)) for path in (ROOT / "fastproxy").rglob("*.pyi")}
    assert stubs <= set(names)
    assert [name for name in names if name.endswith((".c", ".pyx", ".pxd", ".h"))] == []


def test_metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"fastproxy-{fastproxy.__version__}.dist-info/METADATA").decode()
    metadata = Parser().parsestr(text)
    required = {requirement.split(">")[0].strip().lower() for requirement in metadata.get_all("Requires-Dist", [])}
    assert metadata["Version"] == fastproxy.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert required == RUNTIME


def test_it_runs_in_an_empty_environment(wheel, tmp_path):
    """Installed with no compiler to be found, then `fastproxy --version` and one request through `fastproxy -c`."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    install = ("-m", "pip", "install", "--quiet", "--only-binary", ":all:", wheel)
    run(python, *install, cwd=tmp_path, CC="false")
    output = run(python, SMOKE, cwd=tmp_path)
    assert fastproxy.__version__ in output
    assert "one request served" in output
