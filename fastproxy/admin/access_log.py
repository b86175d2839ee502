"""The admin's own access log: one line a request in Envoy's default format, written at once."""

import os
import time
from dataclasses import dataclass

from fastproxy.errors import FastproxyError

MODE = 0o640
"""Of a new file, as that of the listeners' logs: not for every user of the machine."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its response; an empty text means that the header was not there."""

    started_at: float
    """Seconds since 1970."""
    method: str
    path: str
    status: int
    bytes_received: int
    bytes_sent: int
    duration_s: float
    forwarded_for: str = ""
    user_agent: str = ""
    request_id: str = ""
    authority: str = ""

    def line(self) -> str:
        milliseconds = int(self.started_at * 1000)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
        quoted = " ".join(
            f'"{_printable(text)}"'
            for text in (self.forwarded_for, self.user_agent, self.request_id, self.authority, "")
        )
        return (
            f"[{moment}.{milliseconds % 1000:03d}Z] "
            f'"{_printable(self.method)} {_printable(self.path)} HTTP/1.1" {self.status} - '
            f"{self.bytes_received} {self.bytes_sent} {int(self.duration_s * 1000)} - {quoted}\n"
        )


def _printable(text: str) -> str:
    """`-` for nothing; what could forge a line or a field is escaped."""
    safe = "".join(char if char.isprintable() and char != '"' else f"\\x{ord(char):02x}" for char in text)
    return safe or "-"


class AccessLog:
    """Appends to `path`. `file` is the configuration that names it; FastproxyError when it cannot be opened."""

    def __init__(self, path: str, file: str) -> None:
        self._path = path
        self._file = file
        self._fd = self._open()

    def write(self, entry: Entry) -> None:
        """A full disk loses the line, not the request."""
        try:
            os.write(self._fd, entry.line().encode("utf-8", "backslashreplace"))
        except OSError:
            return

    def reopen(self) -> None:
        """Open the file again by name, after it was moved away. The old file stays when that fails."""
        fresh = self._open()
        os.close(self._fd)
        self._fd = fresh

    def close(self) -> None:
        os.close(self._fd)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        except OSError as error:
            raise FastproxyError(f"{self._file}: admin: access log '{self._path}': {error.strerror}") from error
