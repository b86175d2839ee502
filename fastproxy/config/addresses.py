"""Addresses as a file writes them: Envoy v1's URLs, and the check of what v3 says in fields."""

import ipaddress
import re

from fastproxy.config.tree import Node, Report, describe, shorten
from fastproxy.config.v3 import View
from fastproxy.model import Address

MAX_PORT = 65535
MAX_PIPE_BYTES = 107  # of a Unix socket's path: sun_path of unix(7) without its NUL

_URL = re.compile(r"tcp://(\[[^\]/]*\]|[^:/\[\]]*):([0-9]{1,9})")
_NAME = re.compile(r"(?=.{1,253}\.?$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")
_EXAMPLE = 'write it as "tcp://127.0.0.1:8002"'


def is_ip(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 literal, without brackets and zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_dns_name(text: str) -> bool:
    """Whether the text could be looked up; an IP literal can, and stands for itself."""
    return is_ip(text) or _NAME.fullmatch(text) is not None


def parse_url(node: Node, report: Report) -> tuple[str, int] | None:
    """Host and port of a v1 address such as `tcp://127.0.0.1:8002` or `tcp://[::1]:8002`; a bad one is reported."""
    if not isinstance(node.value, str):
        report.error(node, f"expected an address in quotes, not {describe(node)}; {_EXAMPLE}")
        return None
    if node.value.startswith("unix://"):
        report.error(node, "Unix sockets are not supported yet; use an address of the form tcp://IP:port")
        return None
    match = _URL.fullmatch(node.value)
    if match is None or not match[1].strip("[]"):
        report.error(node, f'"{shorten(node.value)}" is no address; {_EXAMPLE}')
        return None
    if int(match[2]) > MAX_PORT:
        report.error(node, f"port {match[2]} is out of range; ports go up to {MAX_PORT}")
        return None
    return match[1].strip("[]"), int(match[2])


def pipe_address(pipe: View, report: Report) -> Address:
    """The Unix socket that an `envoy.config.core.v3.Pipe` names; what the kernel would not take is reported."""
    path, mode = str(pipe.value("path")), int(pipe.value("mode"))
    node = pipe.node_of("path")
    if len(path.encode()) > MAX_PIPE_BYTES:
        report.error(node, f"the path of a Unix socket has at most {MAX_PIPE_BYTES} bytes; choose a shorter one")
    elif "\0" in path:
        report.error(node, "the path of a Unix socket cannot hold a NUL")
    if mode and path.startswith("@"):
        report.error(pipe.node_of("mode"), "a name in the abstract namespace has no mode; remove it")
    return Address("", 0, path, mode)


def is_range(text: str) -> bool:
    """Whether the text is an IP address with an optional prefix length, such as 10.0.0.0/8."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "%" not in text
