"""What every target needs: atheris around one function, with the coverage of the instrumented extensions if there."""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

import atheris


def fuzz(one_input: Callable[[bytes], None], *, is_python: bool = False) -> None:
    """Hand inputs to `one_input` as the arguments of the command say (libFuzzer's); does not return.

    `is_python`: what is tested is Python, imported under atheris.instrument_imports.
    """
    atheris.Setup(sys.argv, one_input, enable_python_coverage=is_python)
    coverage = os.environ.get("FASTPROXY_FUZZ_COVERAGE")
    if coverage:
        from atheris import core_with_libfuzzer

        fuzzer = str(Path(core_with_libfuzzer.__file__))
        assert ctypes.CDLL(coverage).cov_start(fuzzer.encode()) == 0, "there is no libFuzzer to tell"
    atheris.Fuzz()


class Cutter:
    """Cuts the rest of an input as its first bytes say."""

    def __init__(self, data: bytes) -> None:
        count = data[0] % 8 if data else 0
        self.places, self.data = data[1 : 1 + count], data[1 + count :]

    def pieces(self) -> list[bytes]:
        """The rest in pieces, none of them empty."""
        pieces, start = [], 0
        for place in self.places:
            end = start + place % 32 + 1
            pieces.append(self.data[start:end])
            start = end
        return [piece for piece in (*pieces, self.data[start:]) if piece]
