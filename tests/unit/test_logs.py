"""Log lines: Envoy's shape, and nothing in them that could steer a terminal."""

import logging
import re
import stat
import sys

from fastproxy import logs


def record(message: str, *arguments: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("fastproxy.supervisor", level, __file__, 1, message, arguments, None)


def test_a_line_has_the_shape_of_envoys():
    line = logs.EnvoyFormatter().format(record("worker %d started", 3))
    assert re.fullmatch(
        r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\]\[\d+\]\[info\]\[supervisor\] worker 3 started", line
    )


def test_levels_have_envoys_names():
    names = [logs.EnvoyFormatter().format(record("x", level=number)) for number in (5, 30, 50)]
    assert [line.split("][")[2] for line in names] == ["trace", "warning", "critical"]


def test_control_characters_are_escaped():
    line = logs.EnvoyFormatter().format(record("a\nb\x1b[31m\x9b\r\t\x7f"))
    assert line.endswith(r"a\nb\x1b[31m\x9b\r\t\x7f")
    line = logs.EnvoyFormatter().format(record("\u202eabc\u2028\u2069é"))
    assert line.endswith(r"\u202eabc\u2028\u2069é")


def test_a_traceback_keeps_its_lines_but_no_escape_sequence():
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        failed = record("failed")
        failed.exc_info = sys.exc_info()
    text = logs.EnvoyFormatter().format(failed)
    assert "\nTraceback" in text
    assert "\x1b" not in text


def test_configure_sets_the_level_once(monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", list(logging.root.handlers))
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    logs.configure("warning")
    logs.configure("off")
    assert len(logging.root.handlers) == 1
    assert logging.root.level > logging.CRITICAL


def test_a_file_is_not_for_every_user(tmp_path, monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])
    path = tmp_path / "server.log"
    logs.configure("info", str(path))
    logging.root.handlers[0].close()
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0
