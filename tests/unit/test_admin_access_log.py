"""The admin's access log."""

import re

import pytest

from fastproxy.admin.access_log import AccessLog, Entry
from fastproxy.errors import FastproxyError

ENTRY = Entry(1795359270.92, "GET", "/stats?usedonly", 200, 0, 31221, 0.0071, "", "curl/8.5", "", "127.0.0.1:9901")


@pytest.fixture
def log(tmp_path):
    opened = AccessLog(str(tmp_path / "admin.log"), "envoy.json")
    yield opened
    opened.close()


def test_a_line_has_envoys_default_format():
    line = ENTRY.line()
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.920Z\] .*\n", line)
    assert line.endswith('"GET /stats?usedonly HTTP/1.1" 200 - 0 31221 7 - "-" "curl/8.5" "-" "127.0.0.1:9901" "-"\n')


def test_nobody_can_forge_a_line():
    forged = Entry(0, "GET", '/a"\n[', 200, 0, 0, 0, user_agent="\x1b[2J\x00")
    assert forged.line().count("\n") == 1
    assert "/a\\x22\\x0a[" in forged.line()
    assert '"\\x1b[2J\\x00"' in forged.line()


def test_lines_are_written_at_once(log, tmp_path):
    log.write(ENTRY)
    assert (tmp_path / "admin.log").read_text() == ENTRY.line()


def test_reopen_writes_to_a_new_file(log, tmp_path):
    log.write(ENTRY)
    (tmp_path / "admin.log").rename(tmp_path / "old.log")
    log.reopen()
    log.write(ENTRY)
    assert (tmp_path / "old.log").read_text() == (tmp_path / "admin.log").read_text() == ENTRY.line()


def test_a_folder_that_is_not_there(tmp_path):
    path = tmp_path / "nowhere" / "admin.log"
    with pytest.raises(FastproxyError) as caught:
        AccessLog(str(path), "envoy.json")
    assert str(caught.value) == f"envoy.json: admin: access log '{path}': No such file or directory"


def test_a_full_disk_loses_the_line_only():
    full = AccessLog("/dev/full", "envoy.json")
    full.write(ENTRY)
    full.close()


def test_the_file_is_not_for_every_user(log, tmp_path):
    assert (tmp_path / "admin.log").stat().st_mode & 0o007 == 0
