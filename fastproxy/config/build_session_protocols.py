"""The entries of `learn`: which sessions besides Engine.IO's stay on the nodes that issued their ids."""

import re
from collections.abc import Callable, Iterator

from fastproxy.config.tree import Node, Report, closest, describe, did_you_mean, shorten
from fastproxy.model_affinity import (
    APPLICATION_LIFETIME_S,
    ENGINE_IO,
    MCP,
    SOCKJS,
    IdPlace,
    IdSource,
    SessionProtocol,
    cookie,
    header,
    json_field,
    query,
)

MAX_PROTOCOLS = 16
MAX_PLACES = 8
MAX_LIFETIME_S = 5 * 86400

_PRESETS = {"mcp": MCP, "sockjs": SOCKJS}
_NAMED: dict[str, Callable[[str], SessionProtocol]] = {
    "cookie": cookie,
    "header": header,
    "query": query,
    "json": json_field,
}
_FORMS = (*_PRESETS, *(f"{kind}:NAME" for kind in _NAMED))
_ISSUED = {"json": IdSource.JSON, "header": IdSource.HEADER, "cookie": IdSource.COOKIE, "query": IdSource.QUERY} | {
    "event": IdSource.EVENT
}
_RETURNED = {"query": IdSource.QUERY, "header": IdSource.HEADER, "cookie": IdSource.COOKIE}
_CUSTOM = ("name", "issued", "returned", "lifetime")
_TOKEN = re.compile(r"[0-9a-zA-Z!#$%&'*+\-.^_|~`]{1,256}")  # of headers and cookies (RFC 9110, RFC 6265)
_PARAMETER = re.compile(r"[^&=#?\s]{1,256}")
_MEMBER = re.compile(r"[^\x00-\x1f\"\\]{1,256}")
_NAME_FORMS = {"header": _TOKEN, "cookie": _TOKEN, "json": _MEMBER}


def build_protocols(node: Node, report: Report) -> tuple[SessionProtocol, ...]:
    """The protocols of a list of presets and objects, without those that are mistaken."""
    if not isinstance(node.value, list):
        report.error(node, f"expected a list such as [mcp, cookie:JSESSIONID], not {describe(node)}")
        return ()
    if len(node.value) > MAX_PROTOCOLS:
        report.error(node, f"at most {MAX_PROTOCOLS} kinds of sessions are learned; remove the others")
    found: dict[str, SessionProtocol] = {}
    for item in node.items():
        protocol = _custom(item, report) if isinstance(item.value, dict) else _preset(item, report)
        if protocol is None:
            continue
        if protocol.name in found:
            report.error(item, f'"{shorten(protocol.name)}" stands in this list twice')
        elif protocol.name == ENGINE_IO.name:
            report.error(item, f'"{ENGINE_IO.name}" is the name of what sid_affinity stands for; take another one')
        found[protocol.name] = protocol
    return tuple(found.values())


def _preset(node: Node, report: Report) -> SessionProtocol | None:
    text = node.value
    if not isinstance(text, str):
        report.error(node, f"expected a preset such as mcp or cookie:JSESSIONID, or an object, not {describe(node)}")
        return None
    if text in _PRESETS:
        return _PRESETS[text]
    kind, colon, name = text.partition(":")
    if kind not in _NAMED or not colon:
        report.error(node, f'there is no preset "{shorten(text)}"{_meant(text)}')
    elif _is_name(node, kind, name, report):
        return _NAMED[kind](name)
    return None


def _meant(text: str) -> str:
    """What to write in place of a preset that there is not."""
    if text in ("engine.io", "socket.io"):
        return "; those sessions are learned as long as sid_affinity is true"
    kind, colon, name = text.partition(":")
    if kind in _NAMED:
        return f'; write "{kind}:" and a name behind it'
    near = closest(kind, _NAMED)
    if colon and near is not None:
        return f'; did you mean "{near}:{shorten(name)}"?'
    return did_you_mean(text, _FORMS)


def _is_name(node: Node, kind: str, name: str, report: Report) -> bool:
    if _NAME_FORMS.get(kind, _PARAMETER).fullmatch(name):
        return True
    if name:
        report.error(node, f'"{shorten(name)}" cannot be the name of a {_NOUNS[kind]}')
    else:
        report.error(node, f'the name of the {_NOUNS[kind]} is missing behind "{kind}:"')
    return False


_NOUNS = {
    "cookie": "cookie",
    "header": "header",
    "query": "query parameter",
    "json": "JSON member",
    "event": "query parameter",
}


def _custom(node: Node, report: Report) -> SessionProtocol | None:
    """A protocol that the file describes itself."""
    for key, member in node.members().items():
        if key not in _CUSTOM:
            report.error(member, f"there is no such key in an entry of learn{did_you_mean(key, _CUSTOM)}", at_key=True)
    issued = _places(node, "issued", _ISSUED, report)
    returned = _places(node, "returned", _RETURNED, report)
    lifetime_s = _lifetime_s(node, report)
    name = _name(node, report)
    if not issued or not returned:
        return None
    return SessionProtocol(name or _spelt(issued), issued, returned, lifetime_s)


def _places(node: Node, key: str, sources: dict[str, IdSource], report: Report) -> tuple[IdPlace, ...]:
    member = node.get(key)
    if member is None:
        report.error(node, f'the required key "{key}" is missing: it says where the id of a session stands')
        return ()
    if not isinstance(member.value, list) or not 1 <= len(member.value) <= MAX_PLACES:
        report.error(member, f"expected a list of 1 to {MAX_PLACES} places such as header:x-session")
        return ()
    found = tuple(_place(item, sources, report) for item in member.items())
    return () if None in found else tuple(place for place in found if place is not None)


def _place(node: Node, sources: dict[str, IdSource], report: Report) -> IdPlace | None:
    text = node.value
    if not isinstance(text, str):
        report.error(node, f"expected a place such as header:x-session, not {describe(node)}")
        return None
    kind, _, name = text.partition(":")
    if kind not in sources:
        near = closest(kind, sources)
        hint = f'; did you mean "{near}:{shorten(name)}"?' if near else f"; use one of {', '.join(_written(sources))}"
        report.error(node, f'no id can stand in "{shorten(text)}" here{hint}')
        return None
    if not _is_name(node, kind, name, report):
        return None
    return IdPlace(sources[kind], name.lower() if kind == "header" else name)


def _written(sources: dict[str, IdSource]) -> Iterator[str]:
    return (f"{kind}:NAME" for kind in sources)


def _lifetime_s(node: Node, report: Report) -> int:
    member = node.get("lifetime")
    if member is None:
        return APPLICATION_LIFETIME_S
    value = member.value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LIFETIME_S:
        report.error(member, f"expected a whole number of seconds from 1 to {MAX_LIFETIME_S}, not {describe(member)}")
        return APPLICATION_LIFETIME_S
    return value


def _name(node: Node, report: Report) -> str:
    member = node.get("name")
    if member is None:
        return ""
    if not isinstance(member.value, str) or not 1 <= len(member.value) <= 60:
        report.error(member, f"expected a name of 1 to 60 characters, not {describe(member)}")
        return ""
    return member.value


def _spelt(places: tuple[IdPlace, ...]) -> str:
    return " ".join(map(str, places))
