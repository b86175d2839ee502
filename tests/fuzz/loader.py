"""A target for atheris: whatever bytes a file holds, loading it ends in problems that have a message and a place.

Run it by hand as `python -m tests.fuzz.loader FOLDER -max_total_time=600`; new inputs go to the folder. The first byte
says whether the rest is JSON or YAML, or decides for itself.
"""

import sys

import atheris

with atheris.instrument_imports(include=["fastproxy.config"]):
    from fastproxy import config

from fastproxy.errors import Severity

DIALECTS = {b"J": True, b"Y": False}


def one_input(data: bytes) -> None:
    """Raises what loading raises; AssertionError for a problem that nobody can find or understand."""
    problems = config.check_bytes(data[1:], DIALECTS.get(data[:1]))
    for problem in problems:
        assert problem.message, problem
        assert problem.code, problem
        assert problem.line > 0, problem
        assert problem.column > 0, problem
    assert len(problems) <= 2 * 102
    assert all(isinstance(problem.severity, Severity) for problem in problems)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
