"""Finds what is allowed and yet cannot be meant; the file is used all the same.

So far: a hash policy on a header that no client sends, after which Envoy silently balances at random, and one on
a route to a cluster whose balancer asks for no hash.
"""

import difflib
from collections.abc import Iterator

from fastproxy.config.tree import Report, shorten, words
from fastproxy.config.v3 import View
from fastproxy.model import Configuration, LbPolicy

_ROUTE_ACTION = "envoy.config.route.v3.RouteAction"
_HASH_POLICY_HEADER = "envoy.config.route.v3.RouteAction.HashPolicy.Header"

KNOWN_HEADERS = words(
    "accept accept-charset accept-encoding accept-language access-control-request-headers "
    "access-control-request-method authorization cache-control client-ip connection content-encoding content-language "
    "content-length content-type cookie date dnt expect forwarded from host if-match if-modified-since if-none-match "
    "if-range if-unmodified-since keep-alive last-event-id max-forwards mcp-session-id origin pragma "
    "proxy-authorization range referer sec-ch-ua sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user "
    "sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version te traceparent "
    "tracestate trailer transfer-encoding true-client-ip upgrade upgrade-insecure-requests user-agent via warning "
    "x-csrf-token x-forwarded-client-cert x-forwarded-email x-forwarded-for x-forwarded-host x-forwarded-port "
    "x-forwarded-prefix x-forwarded-proto x-forwarded-server x-forwarded-ssl x-forwarded-user x-real-ip x-request-id "
    "x-requested-with"
)
"""Request headers that browsers, Socket.IO clients and proxies are known to send."""

_CUTOFF = 0.85


def check(bootstrap: View, configuration: Configuration, report: Report) -> None:
    """Warns of hash policies whose header looks misspelt, and of those that nothing asks for."""
    balancers = {cluster.name: cluster.lb_policy for cluster in configuration.clusters}
    for view in bootstrap.walk():
        if view.type_name == _ROUTE_ACTION and view.has("hash_policy"):
            cluster = view.value("cluster")
            if balancers.get(cluster, LbPolicy.RING_HASH) is not LbPolicy.RING_HASH:
                message = f'has no effect here: the balancer of the cluster "{shorten(cluster)}" is not ring_hash'
                report.warning(view.node_of("hash_policy"), message, at_key=True)
    for view in _hashed_headers(bootstrap):
        name = view.value("header_name")
        meant = misspelt(name)
        if meant is not None:
            message = f'no client sends a header "{shorten(name)}", so the ring would choose at random; write "{meant}"'
            report.warning(view.node_of("header_name"), message, code="FP101")


def misspelt(name: str) -> str | None:
    """The well-known header that was probably meant by one that is none of them."""
    name = name.lower()
    if name in KNOWN_HEADERS or name.startswith(":"):
        return None
    near = difflib.get_close_matches(name[:60], KNOWN_HEADERS, n=1, cutoff=_CUTOFF)
    return near[0] if near else None


def _hashed_headers(bootstrap: View) -> Iterator[View]:
    return (view for view in bootstrap.walk() if view.type_name == _HASH_POLICY_HEADER)
