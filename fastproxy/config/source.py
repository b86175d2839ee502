"""A configuration file from disk to a tree with marks: JSON or YAML, bounded in size, one mapping at the top."""

import os
import stat

from fastproxy.config import json_source
from fastproxy.config.tree import Node, Report, describe

MAX_BYTES = 16 * 1024 * 1024

_FORMS_OF_ENVOY = (".pb", ".pb_text", ".prototxt")


def read(path: str, report: Report) -> Node:
    """The file as a tree. Raises ConfigError when it cannot be read or is neither JSON nor YAML."""
    return parse_bytes(_read_bytes(path, report), _is_json(path), report)


def parse_bytes(data: bytes, is_json: bool | None, report: Report) -> Node:
    """The tree of a file's contents; None for `is_json` decides by the first character. Raises ConfigError."""
    return parse(_decode(data, report), is_json, report)


def parse(text: str, is_json: bool | None, report: Report) -> Node:
    """The text as a tree; None for `is_json` decides by the first character."""
    if not text.strip():
        raise report.fatal("the file is empty", 1, 1)
    if is_json is None:
        is_json = text.lstrip()[:1] in ("{", "[")
    if is_json:
        root = json_source.compose(text, report)
    else:
        from fastproxy.config import yaml_source  # most files are JSON, and PyYAML costs 30 ms to import

        root = yaml_source.compose(text, report)
    if not isinstance(root.value, dict):
        message = f"a configuration is an object of keys and values, not {describe(root)}"
        raise report.fatal(message, root.line, root.column)
    return root


def _is_json(path: str) -> bool | None:
    extension = os.path.splitext(path)[1].lower()
    return True if extension == ".json" else False if extension in (".yaml", ".yml") else None


def _read_bytes(path: str, report: Report) -> bytes:
    if os.path.splitext(path)[1].lower() in _FORMS_OF_ENVOY:
        raise report.fatal("configurations in protobuf's own forms are not read; write it as YAML or JSON")
    try:
        data = _read_regular(path)
    except FileNotFoundError:
        raise report.fatal("there is no such file; name one with -c") from None
    except IsADirectoryError:
        raise report.fatal("this is a directory; name a configuration file") from None
    except PermissionError:
        raise report.fatal("this file may not be read; give its reader permission") from None
    except (OSError, ValueError) as error:
        raise report.fatal(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if data is None:
        raise report.fatal("this is no regular file; write the configuration to a file and name that")
    if len(data) > MAX_BYTES:
        raise report.fatal(f"larger than {MAX_BYTES // 1024 // 1024} MiB; this is no configuration file")
    return data


def _read_regular(path: str) -> bytes | None:
    """What the file holds, up to one byte over the limit; None for a device, a socket or a pipe, which may never end.

    O_NONBLOCK: the opening of a pipe would wait for somebody to write to it.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        return file.read(MAX_BYTES + 1) if stat.S_ISREG(os.fstat(fd).st_mode) else None


def _decode(data: bytes, report: Report) -> str:
    null = data.find(b"\0")
    if null >= 0:
        raise report.fatal("this byte is zero: this is no text in UTF-8", *_place(data, null))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise report.fatal("this byte is not UTF-8; save the file as UTF-8", *_place(data, error.start)) from None


def _place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column of a byte, both from 1."""
    line = data.count(b"\n", 0, offset) + 1
    before = data[data.rfind(b"\n", 0, offset) + 1 : offset]
    return line, len(before.decode("utf-8-sig" if line == 1 else "utf-8", "replace")) + 1
