"""Which requests the admin refuses: what a page in an operator's browser may have sent.

A page of any site can make a browser on the operator's network send requests to the admin, and with a name of its own
that resolves to the admin's address (DNS rebinding) it can read the answers. What changes something therefore takes
a POST that no other site's page has sent, and a browser has to name the admin by something that nobody outside can own.
"""

import re
import socket
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastproxy.admin.reply import Reply

PRIVATE_DOMAINS = ("localhost", "local", "internal", "home.arpa", "lan", "home", "corp", "intranet", "test", "svc")
"""Nobody can register a name below them (RFC 6761, RFC 6762, RFC 8375; others that were never delegated)."""

_SENT_BY_BROWSERS = ("Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Accept-Language")
_OTHER_SITES = ("cross-site", "same-site")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::[0-9]*)?", re.ASCII)


def refusal(method: str, headers: Mapping[str, str], mutates: bool) -> Reply | None:
    """The answer to a request that may not be answered otherwise, None for all others. `headers` minds no case."""
    if mutates and method != "POST":
        return Reply(f"Method {method} not allowed, POST required.", HTTPStatus.METHOD_NOT_ALLOWED)
    if _is_from_browser(headers) and not is_private(headers.get("Host", "")):
        return Reply("The admin answers a browser only under an address or a private name.\n", HTTPStatus.FORBIDDEN)
    if mutates and _is_cross_site(headers):
        return Reply("A page of another site may not do this.\n", HTTPStatus.FORBIDDEN)
    return None


def is_private(authority: str) -> bool:
    """Whether nobody else can have this host's name resolve to where it pleases him."""
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        return False
    host = found[1].strip("[]").rstrip(".").lower()
    try:
        ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host == socket.gethostname().lower() or _is_below(host))
    return True


def _is_below(host: str) -> bool:
    return host.endswith(tuple(f".{domain}" for domain in PRIVATE_DOMAINS))


def _is_from_browser(headers: Mapping[str, str]) -> bool:
    """Browsers send at least one of these, whatever a page does."""
    return any(name in headers for name in _SENT_BY_BROWSERS) or headers.get("User-Agent", "").startswith("Mozilla/")


def _is_cross_site(headers: Mapping[str, str]) -> bool:
    if headers.get("Sec-Fetch-Site", "").lower() in _OTHER_SITES:
        return True
    origin = headers.get("Origin")
    return origin is not None and not _is_origin_of(origin, headers.get("Host", ""))


def _is_origin_of(origin: str, host: str) -> bool:
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    return found.scheme == "http" and bool(host) and found.netloc.lower() == host.lower().removesuffix(":80")
