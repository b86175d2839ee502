"""What a route does with its requests, from the v3 messages to the model."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastproxy.config.build_headers import build_header_rules
from fastproxy.config.build_matchers import build_regex_rewrite, build_share
from fastproxy.config.tree import Node, Report, did_you_mean, shorten
from fastproxy.config.v3 import View
from fastproxy.model_routes import (
    DirectResponse,
    MirrorPolicy,
    Redirect,
    RegexRewrite,
    RoutingPriority,
    WeightedCluster,
    WeightedClusters,
)

DEFAULT_TIMEOUT_S = 15.0
DEFAULT_BODY_BYTES = 4096

_REDIRECTS = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
_MISSING = {"SERVICE_UNAVAILABLE": 503, "NOT_FOUND": 404, "INTERNAL_SERVER_ERROR": 500}


def check_cluster(name: str, node: Node, clusters: Iterable[str], report: Report) -> None:
    """Reports a cluster that does not exist."""
    if name and name not in clusters:
        hint = did_you_mean(name, clusters) or "; define it among the clusters"
        report.error(node, f'there is no cluster "{shorten(name)}"{hint}')


def build_action(action: View, clusters: frozenset[str], report: Report) -> dict[str, Any]:
    """The fields of `model.Route` that a RouteAction decides, upgrades, hashes and what is inherited left out."""
    check_cluster(action.value("cluster"), action.node_of("cluster"), clusters, report)
    rewrites = [name for name in ("prefix_rewrite", "regex_rewrite") if action.has(name)]
    if len(rewrites) > 1:
        report.error(action.node_of(rewrites[1]), "prefix_rewrite and regex_rewrite exclude each other; keep one")
    duration = action.child("max_stream_duration")
    return {
        "cluster": action.value("cluster"),
        "cluster_header": action.value("cluster_header").lower(),
        "weighted_clusters": _weighted(action, clusters, report),
        "missing_cluster_status": _MISSING.get(action.enum_name("cluster_not_found_response_code"), 503),
        "timeout_s": action.seconds("timeout", DEFAULT_TIMEOUT_S) or None,
        "timeout_is_set": action.has("timeout"),
        "idle_timeout_s": action.seconds("idle_timeout", None),
        "max_stream_duration_s": duration.seconds("max_stream_duration", None),
        "priority": RoutingPriority[action.enum_name("priority")],
        "prefix_rewrite": action.value("prefix_rewrite"),
        "regex_rewrite": _optional_rewrite(action, "regex_rewrite", report),
        "host_rewrite": action.value("host_rewrite_literal"),
        "host_rewrite_header": action.value("host_rewrite_header").lower(),
        "host_rewrite_path_regex": _optional_rewrite(action, "host_rewrite_path_regex", report),
        "auto_host_rewrite": action.wrapped("auto_host_rewrite", False),
        "append_x_forwarded_host": action.value("append_x_forwarded_host"),
    }


def _optional_rewrite(view: View, field: str, report: Report) -> RegexRewrite | None:
    return build_regex_rewrite(view.child(field), report) if view.has(field) else None


def _weighted(action: View, clusters: frozenset[str], report: Report) -> WeightedClusters | None:
    if not action.has("weighted_clusters"):
        return None
    view = action.child("weighted_clusters")
    found = tuple(_weighted_cluster(item, clusters, report) for item in view.items("clusters"))
    total = sum(cluster.weight for cluster in found)
    if found and not total:
        report.error(view.node_of("clusters"), "the weights are all 0; give at least one cluster a weight")
    elif total > 2**32 - 1:
        report.error(view.node_of("clusters"), "the weights add up to more than 4294967295; write smaller ones")
    return WeightedClusters(found, view.value("header_name").lower(), view.wrapped("use_hash_policy", False))


def _weighted_cluster(view: View, clusters: frozenset[str], report: Report) -> WeightedCluster:
    name, header = view.value("name"), view.value("cluster_header").lower()
    check_cluster(name, view.node_of("name"), clusters, report)
    if bool(name) == bool(header):
        report.error(view.node, "a weighted cluster needs either a name or a cluster_header")
    rules = build_header_rules(view, report)
    return WeightedCluster(view.wrapped("weight", 0), name, header, view.value("host_rewrite_literal"), rules)


def build_redirect(view: View, report: Report) -> Redirect:
    """Where a redirect sends its clients."""
    scheme = view.value("scheme_redirect")
    return Redirect(
        status=_REDIRECTS.get(view.enum_name("response_code"), 301),
        scheme="https" if view.value("https_redirect") else scheme,
        host=view.value("host_redirect"),
        port=view.value("port_redirect"),
        path=view.value("path_redirect"),
        prefix_rewrite=view.value("prefix_rewrite"),
        regex_rewrite=_optional_rewrite(view, "regex_rewrite", report),
        strip_query=view.value("strip_query"),
    )


def build_direct_response(view: View, max_bytes: int, report: Report) -> DirectResponse:
    """The answer that the proxy gives by itself; a file is read now."""
    body = _data(view.child("body"), report)
    if len(body) > max_bytes:
        message = f"the body has {len(body)} bytes and may have {max_bytes}; see max_direct_response_body_size_bytes"
        report.error(view.node_of("body"), message)
        body = b""
    return DirectResponse(view.value("status"), body)


def _data(view: View, report: Report) -> bytes:
    """The content of a DataSource."""
    kind = view.message.WhichOneof("specifier")
    if kind is None:
        return b""
    value, node = view.value(kind), view.node_of(kind)
    if kind == "inline_string":
        return bytes(value.encode())
    if kind == "inline_bytes":
        return bytes(value)
    if kind == "environment_variable":
        if value not in os.environ:
            report.error(node, f'there is no environment variable "{shorten(value)}"')
        return os.environ.get(value, "").encode()
    try:
        return Path(value).read_bytes()
    except (OSError, ValueError) as error:
        report.error(node, f'cannot read "{shorten(value)}": {getattr(error, "strerror", None) or error}')
        return b""


def build_mirrors(views: list[View], clusters: frozenset[str], report: Report) -> tuple[MirrorPolicy, ...]:
    """The clusters that get a copy of the requests."""
    for view in views:
        check_cluster(view.value("cluster"), view.node_of("cluster"), clusters, report)
    return tuple(
        MirrorPolicy(
            view.value("cluster"),
            build_share(view.child("runtime_fraction")),
            not view.value("disable_shadow_host_suffix_append"),
            view.value("host_rewrite_literal"),
        )
        for view in views
    )
