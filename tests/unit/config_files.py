"""Configuration files for tests: small v1 and v3 ones that load, and ways to change and load them."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastproxy import config
from fastproxy.config import build, json_source, lint, v3
from fastproxy.config.tree import Node, Report
from fastproxy.errors import ConfigError, Problem, Severity

EXTENSIONS = "type.googleapis.com/envoy.extensions."
MANAGER_PATH = "listeners[0].filters[0].config"
ROUTE_PATH = f"{MANAGER_PATH}.route_config.virtual_hosts[0].routes[0]"
V3_MANAGER_PATH = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config"
V3_ROUTE_PATH = f"{V3_MANAGER_PATH}.route_config.virtual_hosts[0].routes[0]"
CLUSTER_PATH = "cluster_manager.clusters[0]"
V3_CLUSTER_PATH = "static_resources.clusters[0]"

V1: dict[str, Any] = {
    "listeners": [
        {
            "address": "tcp://127.0.0.1:9002",
            "filters": [
                {
                    "type": "read",
                    "name": "http_connection_manager",
                    "config": {
                        "codec_type": "auto",
                        "stat_prefix": "front",
                        "route_config": {
                            "virtual_hosts": [
                                {"name": "all", "domains": ["*"], "routes": [{"prefix": "/", "cluster": "nodes"}]}
                            ]
                        },
                        "filters": [{"type": "decoder", "name": "router", "config": {}}],
                    },
                }
            ],
        }
    ],
    "admin": {"access_log_path": "/dev/null", "address": "tcp://127.0.0.1:9902"},
    "cluster_manager": {
        "clusters": [
            {
                "name": "nodes",
                "type": "static",
                "lb_type": "ring_hash",
                "connect_timeout_ms": 250,
                "hosts": [{"url": "tcp://127.0.0.1:8002"}, {"url": "tcp://127.0.0.1:8003"}],
            }
        ]
    },
}


def _socket(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def endpoint(host: str, port: int, **more: Any) -> dict[str, Any]:
    """One entry of lb_endpoints."""
    return {"endpoint": {"address": _socket(host, port)}, **more}


V3: dict[str, Any] = {
    "admin": {"address": _socket("127.0.0.1", 9902)},
    "static_resources": {
        "listeners": [
            {
                "name": "front",
                "address": _socket("127.0.0.1", 9002),
                "filter_chains": [
                    {
                        "filters": [
                            {
                                "name": "envoy.filters.network.http_connection_manager",
                                "typed_config": {
                                    "@type": f"{EXTENSIONS}filters.network.http_connection_manager.v3"
                                    ".HttpConnectionManager",
                                    "stat_prefix": "front",
                                    "route_config": {
                                        "virtual_hosts": [
                                            {
                                                "name": "all",
                                                "domains": ["*"],
                                                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "nodes"}}],
                                            }
                                        ]
                                    },
                                    "http_filters": [
                                        {
                                            "name": "router",
                                            "typed_config": {"@type": f"{EXTENSIONS}filters.http.router.v3.Router"},
                                        }
                                    ],
                                },
                            }
                        ]
                    }
                ],
            }
        ],
        "clusters": [
            {
                "name": "nodes",
                "type": "STATIC",
                "lb_policy": "RING_HASH",
                "connect_timeout": "0.25s",
                "load_assignment": {
                    "cluster_name": "nodes",
                    "endpoints": [{"lb_endpoints": [endpoint("127.0.0.1", 8002), endpoint("127.0.0.1", 8003)]}],
                },
            }
        ],
    },
}


def v1() -> Any:
    """A copy of the small v1 file, to change."""
    return copy.deepcopy(V1)


def v3_file() -> Any:
    """A copy of the small v3 file, to change."""
    return copy.deepcopy(V3)


def v1_manager(document: Any) -> Any:
    return document["listeners"][0]["filters"][0]["config"]


def v1_route(document: Any) -> Any:
    return v1_manager(document)["route_config"]["virtual_hosts"][0]["routes"][0]


def v1_cluster(document: Any) -> Any:
    return document["cluster_manager"]["clusters"][0]


def v3_listener(document: Any) -> Any:
    return document["static_resources"]["listeners"][0]


def v3_manager(document: Any) -> Any:
    return v3_listener(document)["filter_chains"][0]["filters"][0]["typed_config"]


def v3_route(document: Any) -> Any:
    return v3_manager(document)["route_config"]["virtual_hosts"][0]["routes"][0]


def v3_cluster(document: Any) -> Any:
    return document["static_resources"]["clusters"][0]


def load(folder: Path, document: Any, name: str = "proxy.json") -> config.Loaded:
    """Loads a document (text as it is, anything else as JSON) from a file in the folder."""
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document, indent=1), encoding="utf-8")
    return config.load(str(path))


def refused(folder: Path, document: Any, name: str = "proxy.json") -> tuple[Problem, ...]:
    """The mistakes for which a document is refused."""
    with pytest.raises(ConfigError) as caught:
        load(folder, document, name)
    return caught.value.problems


def said(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Path and message of each problem."""
    return [(problem.path, problem.message) for problem in problems]


def tree(text: str) -> tuple[Node, Report]:
    """The tree of a JSON text that has no mistakes yet."""
    report = Report("proxy.json")
    return json_source.compose(text, report), report


def view(document: Any) -> tuple[v3.View, Report]:
    """The bootstrap of a v3 document."""
    root, report = tree(json.dumps(document, indent=1))
    return v3.parse(root, report), report


def errors(report: Report) -> list[tuple[str, str]]:
    """Path and message of every error in a report."""
    return said(report.of(Severity.ERROR))


def warnings(report: Report) -> list[tuple[str, str]]:
    """Path and message of every warning in a report."""
    return said(report.of(Severity.WARNING))


def advised(change: Callable[[Any], Any], document: Any = None) -> list[tuple[str, str, str]]:
    """Code, path and message of the advice that the small v3 file gets after a change."""
    document = v3_file() if document is None else document
    change(document)
    bootstrap, report = view(document)
    lint.check(bootstrap, build.build(bootstrap, report), report)
    found = [problem for problem in report.of(Severity.WARNING) if problem.code in lint.RULES]
    return [(problem.code, problem.path, problem.message) for problem in found]
