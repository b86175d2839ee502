"""`/stats`: every counter and gauge, one a line, sorted by name; `/stats/prometheus`: the same for Prometheus."""

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus

from fastproxy.admin.prometheus import prometheus_text
from fastproxy.admin.reply import JSON, Query, Reply
from fastproxy.regexes import BadRegex, Regex
from fastproxy.stats import Statistic, used
from fastproxy.status import Status

_TYPES: dict[str, Callable[[Statistic], bool]] = {
    "All": lambda statistic: True,
    "Counters": lambda statistic: not statistic.is_gauge,
    "Gauges": lambda statistic: statistic.is_gauge,
    "Histograms": lambda statistic: False,
    "TextReadouts": lambda statistic: False,
}


def stats(status: Status, query: Query) -> Reply:
    """`usedonly`, `filter` (a regular expression found anywhere in the name), `type` and `format` narrow it."""
    try:
        chosen = _choose(status.statistics(), query)
    except BadRegex as error:
        return Reply(f"Invalid re2 regex: {error}", HTTPStatus.BAD_REQUEST)
    except KeyError:
        return Reply(f"usage: /stats?type=({'|'.join(_TYPES)})\n\n", HTTPStatus.BAD_REQUEST)
    match query.get("format", "text"):
        case "text":
            return Reply("".join(f"{each.name}: {each.value}\n" for each in chosen))
        case "json":
            return Reply(_as_json(chosen), content_type=JSON)
        case "prometheus":
            return Reply(prometheus_text(chosen))
    return Reply("usage: /stats?format=(json|prometheus|text)\n\n", HTTPStatus.BAD_REQUEST)


def prometheus(status: Status, query: Query) -> Reply:
    """As `stats` with `format=prometheus`."""
    return stats(status, {**query, "format": "prometheus"})


def _choose(statistics: list[Statistic], query: Query) -> list[Statistic]:
    pattern = Regex(query.get("filter", ""))
    of_type = _TYPES[query.get("type", "All")]
    if "usedonly" in query:
        statistics = used(statistics)
    return sorted(each for each in statistics if of_type(each) and pattern.search(each.name.encode()))


def _as_json(statistics: Iterable[Statistic]) -> str:
    values = [{"name": each.name, "value": each.value} for each in statistics]
    return json.dumps({"stats": values}, separators=(",", ":"))
