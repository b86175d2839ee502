"""Outlier detection of a cluster, from the v3 message to the model."""

from dataclasses import fields
from typing import Any

from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import OutlierDetection

_DEFAULT = OutlierDetection()
_SECONDS = "_s"
_DERIVED = ("max_ejection_time_s", "event_log_path")


def build_outlier_detection(cluster: View, event_log_path: str, report: Report) -> OutlierDetection | None:
    """What a cluster says of hosts that answer badly; None where it says nothing. All clusters have one log."""
    if not cluster.has("outlier_detection"):
        return None
    view = cluster.child("outlier_detection")
    values = {field.name: _value(view, field.name) for field in fields(OutlierDetection) if field.name not in _DERIVED}
    base_s = values["base_ejection_time_s"]
    longest_s = view.seconds("max_ejection_time", max(_DEFAULT.max_ejection_time_s, base_s)) or 0.0
    if longest_s < base_s:
        said = "max_ejection_time is below base_ejection_time; make it at least as long"
        report.error(view.node_of("max_ejection_time"), said)
    return OutlierDetection(**values, max_ejection_time_s=longest_s, event_log_path=event_log_path)


def _value(view: View, name: str) -> Any:
    """The field of the message that a field of the model is called after; its default where the file is silent."""
    default = getattr(_DEFAULT, name)
    if name.endswith(_SECONDS):
        return view.seconds(name.removesuffix(_SECONDS), default)
    if name == "split_external_local_origin_errors":
        return view.value(name)
    return view.wrapped(name, default)
