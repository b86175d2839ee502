"""The route configuration of the bootstrap to the model: virtual hosts, matches, actions, hash policies."""

import re
import warnings

from fastproxy.config.build_hash_policies import build_hash_policies
from fastproxy.config.tree import Report, did_you_mean, shorten
from fastproxy.config.v3 import View
from fastproxy.model import Route, RouteConfiguration, RouteMatch, VirtualHost

WEBSOCKET = "websocket"
DEFAULT_TIMEOUT_S = 15.0

_ESCAPE_OR_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.S)
_NOT_RE2 = re.compile(r"\(\?(?:[=!>(#]|<[=!]|P[=>])|[*+?}]\+")
_REPEAT = re.compile(r"\{([0-9]*),?([0-9]*)\}")
_MAX_REPEAT = 1000
_BACK_REFERENCE = re.compile(r"(?:^|[^\\])(?:\\\\)*\\[1-9]")


def build_routes(manager: View, clusters: frozenset[str], report: Report) -> RouteConfiguration:
    """The routes of one connection manager. A route to a cluster that is not in `clusters` is reported."""
    config = manager.child("route_config")
    websocket = _websocket(manager, False, report)
    hosts = tuple(_virtual_host(view, websocket, clusters, report) for view in config.items("virtual_hosts"))
    _check_domains(config, report)
    return RouteConfiguration(hosts)


def _check_domains(config: View, report: Report) -> None:
    """Domains are compared without regard to case and belong to one virtual host each."""
    owners: dict[str, str] = {}
    for host in config.items("virtual_hosts"):
        for domain, node in zip(host.value("domains"), host.node_of("domains").items(), strict=True):
            owner = owners.setdefault(domain.lower(), node.path)
            if owner != node.path:
                report.error(node, f'the domain "{shorten(domain)}" stands already at {owner}; keep it in one place')


def _virtual_host(view: View, websocket: bool, clusters: frozenset[str], report: Report) -> VirtualHost:
    routes = tuple(_route(route, websocket, clusters, report) for route in view.items("routes"))
    return VirtualHost(view.value("name"), tuple(view.value("domains")), routes)


def _route(view: View, websocket: bool, clusters: frozenset[str], report: Report) -> Route:
    action = view.child("route")
    cluster = action.value("cluster")
    if cluster and cluster not in clusters:
        hint = did_you_mean(cluster, clusters) or "; define it among the clusters"
        report.error(action.node_of("cluster"), f'there is no cluster "{shorten(cluster)}"{hint}')
    return Route(
        match=_match(view.child("match"), report),
        cluster=cluster,
        name=view.value("name"),
        timeout_s=action.seconds("timeout", DEFAULT_TIMEOUT_S) or None,
        timeout_is_set=action.has("timeout"),
        hash_policies=build_hash_policies(action.items("hash_policy"), report),
        allow_websocket=_websocket(action, websocket, report),
        prefix_rewrite=action.value("prefix_rewrite"),
        host_rewrite=action.value("host_rewrite_literal"),
    )


def _match(view: View, report: Report) -> RouteMatch:
    kind = view.message.WhichOneof("path_specifier")
    case_sensitive = view.wrapped("case_sensitive", True)
    if kind == "safe_regex":
        regex = view.child("safe_regex")
        _check_regex(regex, report)
        return RouteMatch(regex=regex.value("regex"), case_sensitive=case_sensitive)
    if kind == "path":
        return RouteMatch(path=view.value("path"), case_sensitive=case_sensitive)
    return RouteMatch(prefix=view.value("prefix"), case_sensitive=case_sensitive)


def _check_regex(view: View, report: Report) -> None:
    """A pattern has to mean the same to Envoy's RE2 and to Python's `re`."""
    text, node = view.value("regex"), view.node_of("regex")
    outside = _ESCAPE_OR_CLASS.sub("x", text)
    if _NOT_RE2.search(outside) or _BACK_REFERENCE.search(text):
        report.error(
            node, "look-around, back references, comments and possessive repeats do not exist in RE2; write it without"
        )
        return
    if any(len(bound) > 4 or int(bound or 0) > _MAX_REPEAT for repeat in _REPEAT.findall(outside) for bound in repeat):
        report.error(node, f"RE2 repeats at most {_MAX_REPEAT} times; write a smaller number")
        return
    if "[[:" in text:
        report.error(node, "POSIX classes such as [[:alpha:]] are not supported; write [a-zA-Z]")
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what `re` warns of will mean something else one day
            re.compile(text.encode())
    except (re.error, RecursionError, OverflowError, Warning) as error:
        report.error(node, f"no regular expression: {error}")


def _websocket(view: View, default: bool, report: Report) -> bool:
    """Whether the upgrade configurations of a manager or a route let websockets through."""
    allowed = default
    seen: set[str] = set()
    for config in view.items("upgrade_configs"):
        kind = config.value("upgrade_type").lower()
        node = config.node_of("upgrade_type")
        if kind in seen:
            report.error(node, f'the upgrade "{shorten(kind)}" stands here twice')
        elif kind == WEBSOCKET:
            allowed = config.wrapped("enabled", True)
        elif config.wrapped("enabled", True):
            report.error(node, f'only upgrades to "{WEBSOCKET}" are supported, not to "{shorten(kind)}"')
        seen.add(kind)
    return allowed
