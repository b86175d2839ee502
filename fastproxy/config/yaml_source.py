"""YAML text to a tree with marks: what Envoy takes from YAML, which is JSON's kinds of values.

PyYAML's composer gives nodes with marks; scalars are resolved here, because YAML 1.1 would make a number
of `1:30` and a date of `2017-11-13`.
"""

import re
from typing import Any

import yaml

from fastproxy.config.json_source import MAX_DEPTH, MAX_NODES
from fastproxy.config.tree import Node, Report, Value, member_path, shorten

_TAG = "tag:yaml.org,2002:"
_QUOTED = ("'", '"', "|", ">")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})|0x[0-9a-fA-F]{1,16}")
_FLOAT = re.compile(r"[-+]?[0-9]{1,30}(?:\.[0-9]{0,30})?(?:[eE][-+]?[0-9]{1,3})?")
_KNOWN_TAGS = frozenset(
    _TAG + name for name in ("str", "bool", "int", "float", "null", "map", "seq", "timestamp", "merge", "value")
)


class _Builder:
    """Turns PyYAML's graph into a tree: an alias becomes a copy, within a bound on the number of nodes."""

    def __init__(self, report: Report, tagged: set[tuple[int, int]]) -> None:
        self.report = report
        self.tagged = tagged
        self.left = MAX_NODES

    def node(self, source: yaml.Node, path: str, depth: int) -> Node:
        self.left -= 1
        line, column = _place(source.start_mark)
        if depth > MAX_DEPTH:
            raise self.report.fatal(f"nested deeper than {MAX_DEPTH} levels", line, column)
        if self.left < 0:
            raise self.report.fatal(f"more than {MAX_NODES} values once every alias is written out", line, column)
        node = Node(None, line, column, path, line, column)
        if (line, column) in self.tagged or source.tag not in _KNOWN_TAGS:
            tag = shorten(source.tag.replace(_TAG, "!!"))
            self.report.error(node, f"the tag {tag} means nothing here; remove it")
        elif isinstance(source, yaml.MappingNode):
            node.value = self.members(source, path, depth)
        elif isinstance(source, yaml.SequenceNode):
            node.value = [self.node(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(source.value)]
        else:
            assert isinstance(source, yaml.ScalarNode)
            node.value = _scalar(source)
        return node

    def members(self, source: yaml.MappingNode, path: str, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key, value in source.value:
            line, column = _place(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise self.report.fatal("a key has to be a text", line, column)
            node = self.node(value, member_path(path, key.value), depth + 1)
            node.key_line, node.key_column = line, column
            if key.tag == _TAG + "merge":
                self.report.error(node, "Envoy knows no merge keys; write the fields out", at_key=True)
            elif key.value in found:
                first = found[key.value].key_line
                self.report.error(node, f"this key stands twice, first on line {first}", at_key=True)
            else:
                found[key.value] = node
        return found


def _scalar(source: yaml.ScalarNode) -> Value:
    text: str = source.value
    if source.style in _QUOTED:
        return text
    if source.tag == _TAG + "null":
        return None
    if source.tag == _TAG + "bool":
        return _BOOLEANS[text.lower()]
    if source.tag == _TAG + "int" and _INTEGER.fullmatch(text):
        return int(text, 16) if text.startswith("0x") else int(text)
    if _FLOAT.fullmatch(text) and (source.tag == _TAG + "float" or "e" in text.lower()):
        return float(text)
    return text


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _check_events(text: str, loader: Any, report: Report) -> set[tuple[int, int]]:
    """Where the file writes a tag: the nodes do not tell one from a tag that PyYAML found for itself.

    Bounds the text before it is composed: PyYAML's composer recurses in C without a limit and would take the process
    with it.
    """
    depth, left = 0, MAX_NODES  # keys count as well: PyYAML's nodes are large
    tagged: set[tuple[int, int]] = set()
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        left -= isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH:
            raise report.fatal(f"nested deeper than {MAX_DEPTH} levels", *_place(event.start_mark))
        if left < 0:
            raise report.fatal(f"more than {MAX_NODES} values; write a smaller file", *_place(event.start_mark))
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None):
            tagged.add(_place(event.start_mark))
    return tagged


def compose(text: str, report: Report) -> Node:
    """The tree of a YAML text. Raises ConfigError at the first place where it is no YAML."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        tagged = _check_events(text, loader, report)
        source = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark) if error.problem_mark else (0, 0)
        context = f" {error.context}" if error.context else ""
        raise report.fatal(f"not YAML: {error.problem}{context}", *place) from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode("utf-8", "ignore")
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise report.fatal(f"not YAML: {error.reason}", *place) from None
    except yaml.YAMLError as error:
        raise report.fatal(f"not YAML: {error}", 1, 1) from None
    if source is None:
        raise report.fatal("the file is empty", 1, 1)
    return _Builder(report, tagged).node(source, "", 0)
