"""Events that are written to a file."""

import json

import pytest

from fastproxy.health.event_file import EventFile, timestamp


def test_a_line_of_json_for_each(tmp_path):
    path = tmp_path / "events"
    file = EventFile(str(path))
    assert file
    file.write({"a": 1, "b": {}})
    path.rename(tmp_path / "old")
    file.write({"text": 'a "quoted" line\n'})
    assert (tmp_path / "old").read_text() == '{"a":1,"b":{}}\n'
    assert json.loads(path.read_text()) == {"text": 'a "quoted" line\n'}


def test_without_a_path_nothing_is_kept():
    file = EventFile("")
    assert not file
    file.write({"a": 1})


def test_a_file_that_cannot_be_written_is_told_of_once(tmp_path, caplog):
    folder = tmp_path / "folder"
    file = EventFile(str(folder / "events"))
    for _ in range(3):
        file.write({})
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot write to {folder}/events: No such file or directory"
    ]
    folder.mkdir()
    file.write({})
    assert (folder / "events").read_text() == "{}\n"


def test_a_full_disk_is_no_harm(caplog):
    EventFile("/dev/full").write({})
    assert "No space left on device" in caplog.text


@pytest.mark.parametrize(("at_s", "text"), [(1.25, "1970-01-01T00:00:01.250Z"), (1e9, "2001-09-09T01:46:40.000Z")])
def test_timestamps(at_s, text):
    assert timestamp(at_s) == text
