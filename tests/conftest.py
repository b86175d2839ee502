"""What every test may ask for."""

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Before anything imports them: a helper's assertion is to tell as much as a test's.
pytest.register_assert_rewrite("tests.support", "tests.e2e.sessions", "tests.e2e.stack")

# A busy machine, or one under sanitizers, is slow without being wrong.
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of answers recorded from a real Envoy."""
    return ROOT / "tests" / "data" / "golden"


@pytest.fixture(scope="session")
def tool():
    """`tool("node")` is the path of a program; a test whose program is missing fails, and says what to install."""

    def find(name: str, package: str = "") -> str:
        path = shutil.which(name) or shutil.which(name, path=str(ROOT / ".venv" / "bin"))
        if path is None:
            pytest.fail(f"{name} is not installed; on Debian: apt-get install {package or name}", pytrace=False)
        return path

    return find


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[Any, Any, Any]:
    """A report travels between processes as UTF-8; what a test printed, or was given, may not be encodable."""
    return _encodable((yield))


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(name): _encodable(each) for name, each in value.items()}
    return type(value)(map(_encodable, value)) if isinstance(value, (list, tuple)) else value
