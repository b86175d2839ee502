"""A configuration file from disk to a tree with marks: JSON or YAML, bounded in size, one mapping at the top."""

import os

from fastproxy.config import json_source
from fastproxy.config.tree import Node, Report, describe

MAX_BYTES = 16 * 1024 * 1024


def read(path: str, report: Report) -> Node:
    """The file as a tree. Raises ConfigError when it cannot be read or is neither JSON nor YAML."""
    return parse(_decode(_read_bytes(path, report), report), _is_json(path), report)


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
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise report.fatal("there is no such file; name one with -c") from None
    except IsADirectoryError:
        raise report.fatal("this is a directory; name a configuration file") from None
    except PermissionError:
        raise report.fatal("this file may not be read; give its reader permission") from None
    except (OSError, ValueError) as error:
        raise report.fatal(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise report.fatal(f"larger than {MAX_BYTES // 1024 // 1024} MiB; this is no configuration file")
    return data


def _decode(data: bytes, report: Report) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        raise report.fatal("this byte is not UTF-8; save the file as UTF-8", line, column) from None
