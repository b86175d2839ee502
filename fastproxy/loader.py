"""Reads a configuration in a process of its own, while the server goes on.

However large or wrong the file is, whatever it costs in memory and time: it is that process's, and goes with it. What
comes back is the model, or the text that says what is wrong, in a file without a name.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from fastproxy.errors import FastproxyError
from fastproxy.handovers import read_bytes, write_bytes
from fastproxy.model import Configuration
from fastproxy.model_codec import Codec
from fastproxy.worker_process import describe_status, fork


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be run, or None and the `error`; `warnings` are complete lines."""

    configuration: Configuration | None = None
    warnings: tuple[str, ...] = ()
    error: str = ""


Load = Callable[[], Loaded]
_CODEC = Codec(Loaded)


class Loader:
    """One loading under way; OSError when there can be no process for it. Not while an event loop runs."""

    def __init__(self, load: Load) -> None:
        self._file = write_bytes("loaded", b"")
        try:
            self.pid = fork(lambda: _run(load, self._file), [self._file])
        except OSError:
            os.close(self._file)
            raise

    def result(self) -> Loaded | None:
        """None while it is under way. To be asked for again after each SIGCHLD until it is there, and once."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, int(signal.SIGKILL)
        if not pid:
            return None
        self.pid = 0
        data = read_bytes(self._file)
        os.close(self._file)
        if status or not data:
            return Loaded(error=f"reading the configuration did not come to an end: {describe_status(status)}")
        return _CODEC.decode(data)

    def kill(self) -> None:
        """It takes too long; `result` will say so. Harmless when it is over."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def _run(load: Load, file: int) -> int:
    try:
        loaded = load()
    except FastproxyError as error:
        loaded = Loaded(error=str(error))
    except OSError as error:
        loaded = Loaded(error=f"the configuration cannot be read: {error}")
    data = _CODEC.encode(loaded)
    with open(file, "wb", closefd=False) as target:
        target.write(data)
    return 0
