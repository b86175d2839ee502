"""The v3 bootstrap to the model. Owns what fields mean together; knows nothing of v1 and of files."""

from fastproxy.config.build_affinity import session_table_slots
from fastproxy.config.build_clusters import build_clusters
from fastproxy.config.build_filters import build_access_logs
from fastproxy.config.build_listeners import build_listeners, listen_address
from fastproxy.config.build_overload import build_overload
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import DEFAULT_ACCESS_LOG_FORMAT, DEFAULT_SESSION_TABLE_SLOTS, Admin, Configuration


def build(bootstrap: View, report: Report) -> Configuration:
    """The whole configuration. Mistakes are reported and stepped over; with errors reported it must not be used."""
    resources = bootstrap.child("static_resources")
    outlier_detection = bootstrap.child("cluster_manager").child("outlier_detection")
    clusters = build_clusters(resources, report, outlier_detection.value("event_log_path"))
    listeners = build_listeners(bootstrap, frozenset(cluster.name for cluster in clusters), report)
    slots = session_table_slots(resources, DEFAULT_SESSION_TABLE_SLOTS)
    return Configuration(listeners, clusters, _admin(bootstrap, report), slots, build_overload(bootstrap, report))


def _admin(bootstrap: View, report: Report) -> Admin | None:
    view = bootstrap.child("admin")
    if not bootstrap.has("admin") or not view.has("address"):
        return None
    return Admin(listen_address(view, report), _admin_log_path(view, report) or "/dev/null")


def _admin_log_path(view: View, report: Report) -> str:
    """Admin has one log, in the default format; what the file says beyond that is reported."""
    logs = build_access_logs(view, report)
    nodes = view.node_of("access_log").items()
    if not logs:
        return str(view.value("access_log_path"))
    for node in nodes[1:]:
        report.warning(node, "has no effect here: admin has one access log, the first")
    if view.has("access_log_path"):
        report.warning(view.node_of("access_log_path"), "has no effect here: access_log counts", at_key=True)
    if logs[0].format != DEFAULT_ACCESS_LOG_FORMAT:
        report.warning(nodes[0], "the format has no effect here: the access log of admin has the default one")
    return logs[0].path
