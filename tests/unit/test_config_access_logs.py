"""Folders of access logs are made, and what cannot be written is told before anything listens."""

import os

import pytest

from fastproxy.config.access_logs import prepare_access_logs
from fastproxy.config.tree import Node, Report
from tests.unit.config_files import errors


def prepare(*paths, report=None):
    report = report or Report("f")
    nodes = [Node(str(path), 3, 5, "access_log[0].path") for path in paths]
    prepare_access_logs(nodes, report)
    return [message for _, message in errors(report)]


def test_missing_folders_are_made(tmp_path):
    assert prepare(tmp_path / "a" / "b" / "access.log", tmp_path / "access.log") == []
    assert (tmp_path / "a" / "b").is_dir()
    assert not (tmp_path / "access.log").exists()


def test_a_relative_path_is_one_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert prepare("log/access.log", "access.log") == []
    assert (tmp_path / "log").is_dir()


def test_devices_are_fine():
    assert prepare("/dev/null", "/dev/stdout") == []


def test_nothing_is_made_for_a_file_with_mistakes(tmp_path):
    report = Report("f")
    report.error(Node(None, 1, 1, ""), "another mistake")
    prepare(tmp_path / "a" / "access.log", report=report)
    assert not (tmp_path / "a").exists()


def test_a_folder_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    assert prepare(tmp_path / "file" / "deeper" / "access.log") == [
        f'the folder of this access log cannot be made: "{tmp_path / "file"}" is no directory; choose another path'
    ]


def test_a_directory_in_place_of_the_log(tmp_path):
    assert prepare(tmp_path) == [f'"{tmp_path}" is a directory; name a file for this access log']


def test_no_permission(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    [message] = prepare(tmp_path / "a" / "access.log")
    assert message == (
        f'"{tmp_path / "a" / "access.log"}" cannot be written: no permission for "{tmp_path}"; choose another path'
    )


def test_the_system_has_the_last_word(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "makedirs", refuse)
    [message] = prepare(tmp_path / "a" / "access.log")
    assert message.endswith("cannot be made: No space left on device; choose another path")


@pytest.mark.parametrize(("path", "words"), [("a\0b", "null character")])
def test_odd_paths(path, words):
    [message] = prepare(path)
    assert words in message


def test_the_problem_has_its_place(tmp_path):
    report = Report("f")
    prepare(tmp_path, report=report)
    assert errors(report)[0][0] == "access_log[0].path"
