"""`/stats/prometheus`: the statistics in Prometheus' text format, with Envoy's names and labels.

Source: prometheus.io, exposition formats, text-based format; the labels are those of Envoy 1.40, except that a name
with dots is one label here, where Envoy ends it at the first dot.
"""

import re
from collections.abc import Iterable, Iterator

from fastproxy.stats import Statistic

_LAST = r"(?P<stat>(?:cors\.)?[^.]+)"
_SCOPES = tuple(
    (re.compile(rf"{pattern}\.{_LAST}", re.DOTALL), prefix)
    for pattern, prefix in (
        (r"cluster\.(?P<envoy_cluster_name>.+?)\.endpoint\.(?P<envoy_endpoint_address>.+?)", "cluster_endpoint"),
        (r"cluster\.(?P<envoy_cluster_name>.+?)", "cluster"),
        (r"vhost\.(?P<envoy_virtual_host>.+?)\.route\.(?P<envoy_route>.+?)", "vhost_route"),
        (r"http\.(?P<envoy_http_conn_manager_prefix>.+?)", "http"),
        (r"listener\.(?P<envoy_listener_address>.+?)", "listener"),
        (r"tcp\.(?P<envoy_tcp_prefix>.+?)", "tcp"),
    )
)
_RESPONSE_CLASS = re.compile(r"_rq_([1-5])xx$")
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_]")


def prometheus_text(statistics: Iterable[Statistic]) -> str:
    """All samples of a metric stand together, behind its type."""
    metrics: dict[str, tuple[str, list[str]]] = {}
    for each in statistics:
        name, labels = _metric(each.name)
        metric = metrics.setdefault(name, ("gauge" if each.is_gauge else "counter", []))
        metric[1].append(f"{name}{_braces(labels)} {each.value}\n")
    return "".join(_lines(metrics))


def _lines(metrics: dict[str, tuple[str, list[str]]]) -> Iterator[str]:
    for name in sorted(metrics):
        kind, samples = metrics[name]
        yield f"# TYPE {name} {kind}\n"
        yield from samples


def _metric(name: str) -> tuple[str, dict[str, str]]:
    """A statistic's name as Prometheus' name and labels."""
    labels: dict[str, str] = {}
    for pattern, prefix in _SCOPES:
        match = pattern.fullmatch(name)
        if match is not None:
            labels = match.groupdict()
            name = f"{prefix}_{labels.pop('stat')}"
            break
    response_class = _RESPONSE_CLASS.search(name)
    if response_class is not None:
        labels = {"envoy_response_code_class": response_class[1]} | labels
        name = _RESPONSE_CLASS.sub("_rq_xx", name)
    return "envoy_" + _NOT_IN_A_NAME.sub("_", name), labels


def _braces(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
