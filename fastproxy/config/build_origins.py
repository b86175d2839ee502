"""Whose pages may use a route: the origins that our filter's settings list."""

import re

from fastproxy.config.tree import Node, Report, describe, shorten
from fastproxy.model_routes import OriginPolicy

MAX_ORIGINS = 256
"""A request is compared with one after the other."""

_WORDS = ("*", "same", "null")
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*://)((?:\*\.)?[a-z0-9_-][a-z0-9_.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_PORTS = {"http://": ":80", "https://": ":443"}
_FORMS = '"https://a.example", "https://*.a.example", "same", "null" or "*"'


def build_origins(node: Node, report: Report) -> tuple[str, ...] | None:
    """The origins of a list, as model_routes.OriginPolicy has them; None, reported, for anything else."""
    if not isinstance(node.value, list):
        report.error(node, f"expected a list of origins, not {describe(node)}")
        return None
    if len(node.items()) > MAX_ORIGINS:
        report.error(node, f"at most {MAX_ORIGINS} origins; write https://*.a.example for all below a name")
        return None
    found = [_origin(item, report) for item in node.items()]
    return tuple(text for text in found if text is not None)


def origin_policy(origins: tuple[str, ...] | None, is_required: bool) -> OriginPolicy | None:
    """What a list, None without one, and a demand make together."""
    if origins is None:
        return OriginPolicy(("*",), True) if is_required else None
    return OriginPolicy(origins, is_required)


def _origin(node: Node, report: Report) -> str | None:
    if not isinstance(node.value, str):
        report.error(node, f"expected an origin such as {_FORMS}, not {describe(node)}")
        return None
    text = node.value.lower()
    if text in _WORDS:
        return text
    parts = _ORIGIN.fullmatch(text)
    if parts is None:
        report.error(node, f'"{shorten(node.value)}" is no origin{_hint(text)}; expected {_FORMS}')
        return None
    scheme, host, port = parts.groups("")
    return scheme + host + ("" if port == _PORTS.get(scheme) else port)


def _hint(text: str) -> str:
    if "://" not in text:
        return ": it has no scheme"
    if "/" in text.partition("://")[2]:
        return ": nothing stands behind the host and its port"
    return ""
