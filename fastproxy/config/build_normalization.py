"""How a connection manager normalizes paths and authorities, from the v3 message to the model."""

from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import EscapedSlashesAction, Normalization, StripPort

_BY_DEFAULT = "IMPLEMENTATION_SPECIFIC_DEFAULT"


def build_normalization(view: View, report: Report) -> Normalization:
    """What the connection manager of `view` says about it."""
    action = view.enum_name("path_with_escaped_slashes_action")
    return Normalization(
        normalize_path=view.wrapped("normalize_path", False),
        merge_slashes=view.value("merge_slashes"),
        escaped_slashes=EscapedSlashesAction("KEEP_UNCHANGED" if action == _BY_DEFAULT else action),
        strip_port=_strip_port(view, report),
        strip_trailing_host_dot=view.value("strip_trailing_host_dot"),
    )


def _strip_port(view: View, report: Report) -> StripPort:
    is_any: bool = view.value("strip_any_host_port")
    if not view.value("strip_matching_host_port"):
        return StripPort.ANY if is_any else StripPort.NONE
    if is_any:
        message = "strip_matching_host_port and strip_any_host_port may not stand together; remove one of them"
        report.error(view.node_of("strip_any_host_port"), message, at_key=True)
    return StripPort.MATCHING
