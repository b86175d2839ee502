"""Which exchanges an access log or a mapper of local replies is for, from the v3 message to the model."""

from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model import LogCondition, LogFilter, LogOperator

_ALL = LogFilter(LogCondition.AND)
_PER_MILLION = {"HUNDRED": 10_000, "TEN_THOUSAND": 100, "MILLION": 1}


def build_log_filter(view: View, report: Report) -> LogFilter:
    """A filter of exchanges, as access logs and mappers of local replies have them."""
    kind = view.message.WhichOneof("filter_specifier")
    if kind in ("status_code_filter", "duration_filter"):
        return _comparison(view.child(kind).child("comparison"), kind, report)
    if kind in ("and_filter", "or_filter"):
        condition = LogCondition.AND if kind == "and_filter" else LogCondition.OR
        below = view.child(kind).items("filters")
        return LogFilter(condition, filters=tuple(build_log_filter(each, report) for each in below))
    if kind == "response_flag_filter":
        return LogFilter(LogCondition.FLAGS, flags=tuple(view.child(kind).value("flags")))
    if kind == "runtime_filter":
        return LogFilter(LogCondition.SHARE, value=_share(view.child(kind)))
    if kind == "not_health_check_filter":
        return _ALL  # no request counts as a health check here
    if kind is not None:
        report.error(view.node_of(kind), "this kind of filter is not supported yet; use another one")
    return _ALL


def _comparison(view: View, kind: str, report: Report) -> LogFilter:
    condition = LogCondition.STATUS if kind == "status_code_filter" else LogCondition.DURATION
    name = view.enum_name("op")
    if name not in LogOperator.__members__:
        report.error(view.node_of("op"), f"{name} is no comparison; use EQ, GE, LE or NE")
        return _ALL
    return LogFilter(condition, LogOperator[name], view.child("value").value("default_value"))


def _share(view: View) -> int:
    """Of a million; without a percentage the runtime key's value counts, which is 0 as there is no runtime."""
    sampled = view.child("percent_sampled")
    return int(sampled.value("numerator")) * _PER_MILLION.get(sampled.enum_name("denominator"), 10_000)
