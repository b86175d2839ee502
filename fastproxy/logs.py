"""Log lines on stderr in Envoy's shape: `[2026-11-22 12:00:00.000][pid][info][supervisor] message`.

Owns the format, the level names and the escaping. What a client or a DNS server sent may end up in
a message, so control characters never reach the terminal as they are.
"""

import logging
import os
import sys
from io import TextIOWrapper

LEVELS = {
    "trace": 5,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "off": logging.CRITICAL + 10,
}
_NAMES = {number: name for name, number in LEVELS.items()}
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROL |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_CONTROL |= {code: f"\\u{code:04x}" for code in (0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))}
_CONTROL_BUT_NEWLINE = {code: text for code, text in _CONTROL.items() if code != ord("\n")}


def escape(text: str) -> str:
    """`text` on one line, control characters written as `\\xNN`, those that turn the direction of text as `\\uNNNN`."""
    return text.translate(_CONTROL)


class EnvoyFormatter(logging.Formatter):
    """The last part of the logger's name is the component; a traceback keeps its lines."""

    default_time_format = "%Y-%m-%d %H:%M:%S"
    default_msec_format = "%s.%03d"

    def format(self, record: logging.LogRecord) -> str:
        level = _NAMES.get(record.levelno, record.levelname.lower())
        component = record.name.rpartition(".")[2]
        line = f"[{self.formatTime(record)}][{record.process}][{level}][{component}] {escape(record.getMessage())}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info).translate(_CONTROL_BUT_NEWLINE)
        return line


def configure(level: str, path: str = "") -> None:
    """Send every log record of at least `level` (a key of LEVELS) to stderr, or to a file. Raises OSError."""
    handler = _file_handler(path) if path else logging.StreamHandler(sys.stderr)
    handler.setFormatter(EnvoyFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(LEVELS[level])
    logging.raiseExceptions = False  # a closed terminal must not turn each line into a second failure


def _file_handler(path: str) -> logging.Handler:
    """Opens the file by its name again after a rotation."""
    from logging.handlers import WatchedFileHandler  # imports more than a start without it needs

    class File(WatchedFileHandler):
        def _open(self) -> TextIOWrapper:
            return open(self.baseFilename, "a", encoding=self.encoding, opener=_open_private)

    return File(path, encoding="utf-8")


def _open_private(path: str, flags: int) -> int:
    """A new file is not for every user of the machine."""
    return os.open(path, flags, 0o640)
