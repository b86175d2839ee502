"""Filters of access logs in the model."""

import pytest

from fastproxy.config.build import build
from fastproxy.model import LogCondition, LogFilter, LogOperator
from tests.unit.config_files import EXTENSIONS, V3_MANAGER_PATH, errors, v3_file, v3_manager, view

AND = LogFilter(LogCondition.AND)


def built(change):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    return build(bootstrap, report), report


def compared(kind, operator, value):
    return {kind: {"comparison": {"op": operator, "value": {"default_value": value, "runtime_key": "x"}}}}


def log(log_filter):
    typed = {"@type": f"{EXTENSIONS}access_loggers.stream.v3.StdoutAccessLog"}
    return lambda d: v3_manager(d).update(access_log=[{"name": "f", "typed_config": typed, "filter": log_filter}])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (compared("status_code_filter", "GE", 500), LogFilter(LogCondition.STATUS, LogOperator.GE, 500)),
        (compared("duration_filter", "LE", 20), LogFilter(LogCondition.DURATION, LogOperator.LE, 20)),
        ({"response_flag_filter": {"flags": ["UF", "NR"]}}, LogFilter(LogCondition.FLAGS, flags=("UF", "NR"))),
        ({"not_health_check_filter": {}}, AND),
        (
            {
                "runtime_filter": {
                    "runtime_key": "x",
                    "percent_sampled": {"numerator": 5, "denominator": "TEN_THOUSAND"},
                }
            },
            LogFilter(LogCondition.SHARE, value=500),
        ),
        ({"runtime_filter": {"runtime_key": "x"}}, LogFilter(LogCondition.SHARE)),
        (
            {"or_filter": {"filters": [compared("status_code_filter", "EQ", 1), {"not_health_check_filter": {}}]}},
            LogFilter(LogCondition.OR, filters=(LogFilter(LogCondition.STATUS, value=1), AND)),
        ),
    ],
)
def test_filters(config, expected):
    configuration, report = built(log(config))
    assert errors(report) == []
    assert configuration.listeners[0].manager.access_logs[0].filter == expected


def test_a_kind_that_is_not_known_here():
    _, report = built(log({"header_filter": {"header": {"name": "x", "present_match": True}}}))
    [(path, message)] = errors(report)
    assert path == f"{V3_MANAGER_PATH}.access_log[0].filter.header_filter"
    assert message == "this kind of filter is not supported yet; use another one"
