"""From a path to a tree: what cannot be read is told in one line."""

import os

import pytest

from fastproxy.config import source
from fastproxy.config.json_source import MAX_NODES
from fastproxy.config.tree import Report, plain
from fastproxy.errors import ConfigError


def read(path):
    return source.read(str(path), Report(str(path)))


def refusal(path):
    with pytest.raises(ConfigError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"a": 1}'),
        ("a.yaml", "a: 1"),
        ("a.YML", '{"a": 1}'),
        ("a.conf", '\n {"a": 1}'),
        ("a.conf", "a: 1"),
        ("bom.json", '\ufeff{"a": 1}'),
    ],
)
def test_json_and_yaml(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert plain(read(tmp_path / name)) == {"a": 1}


def test_a_json_file_is_no_yaml(tmp_path):
    (tmp_path / "a.json").write_text("a: 1")
    assert ":1:1: not JSON" in refusal(tmp_path / "a.json")


def test_missing(tmp_path):
    assert refusal(tmp_path / "no.json") == f"{tmp_path / 'no.json'}: there is no such file; name one with -c"


def test_a_directory(tmp_path):
    assert refusal(tmp_path) == f"{tmp_path}: this is a directory; name a configuration file"


def test_not_permitted(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    assert refusal(tmp_path / "a.json").endswith("this file may not be read; give its reader permission")


def test_another_failure_gives_its_reason(tmp_path):
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file" / "a.json").endswith("cannot be read: Not a directory")
    assert "null" in refusal("a\0b")


def test_too_large(tmp_path):
    with open(tmp_path / "a.json", "wb") as file:
        os.truncate(file.fileno(), source.MAX_BYTES + 1)
    assert refusal(tmp_path / "a.json").endswith("larger than 16 MiB; this is no configuration file")


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_empty(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert refusal(tmp_path / "a.json").endswith(":1:1: the file is empty")


def test_not_utf_8(tmp_path):
    (tmp_path / "a.json").write_bytes('{\n "ö": "\xff"}'.encode("latin-1"))
    assert refusal(tmp_path / "a.json").endswith(":2:3: this byte is not UTF-8; save the file as UTF-8")


@pytest.mark.parametrize(("text", "words"), [("[]", "a list"), ("1", "the number 1"), ("null", "null")])
def test_not_an_object(tmp_path, text, words):
    (tmp_path / "a.json").write_text(text)
    assert refusal(tmp_path / "a.json").endswith(f"an object of keys and values, not {words}")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_no_regular_file(tmp_path, make):
    """Neither waits for a writer nor reads what never ends."""
    make(tmp_path / "a.json")
    assert refusal(tmp_path / "a.json").split(": ")[1].startswith("this is no regular file; write")


def test_a_zero_byte(tmp_path):
    (tmp_path / "a.json").write_bytes("{\n ö\0".encode())
    assert refusal(tmp_path / "a.json").endswith("a.json:2:3: this byte is zero: this is no text in UTF-8")


@pytest.mark.parametrize("name", ["a.pb", "a.pb_text", "a.PROTOTXT"])
def test_forms_of_protobuf(tmp_path, name):
    assert refusal(tmp_path / name).endswith("in protobuf's own forms are not read; write it as YAML or JSON")


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_too_many_values(tmp_path, name):
    """Refused at the value that is one too many, before the rest is read."""
    (tmp_path / name).write_text("[\n" + "1,\n" * MAX_NODES + "1]")
    assert "more than 500000 values; write a smaller file" in refusal(tmp_path / name)
