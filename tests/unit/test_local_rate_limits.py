"""A `local_ratelimit` made ready: who passes, what is counted, which word counts for all."""

import pytest

from fastproxy.header_rules import HeaderRules
from fastproxy.local_rate_limits import LocalRateLimit as ReadyLimit
from fastproxy.model import HeaderValue, LocalRateLimit, TokenBucket, TrafficLimits
from fastproxy.scopes import bucket_scope
from fastproxy.stats import StatsLayout, StatsReader
from fastproxy.traffic_limits import LimitMaker
from tests.unit.engine_world import configuration

WHOLE = 1_000_000
BUCKET = TokenBucket(2, 1, 10.0)


def limit(**fields) -> LocalRateLimit:
    return LocalRateLimit("p", "here", BUCKET, **{"enabled": WHOLE, "enforced": WHOLE} | fields)


class Workers:
    """The counters of two workers for one limit."""

    def __init__(self, *limits: LocalRateLimit) -> None:
        models = [TrafficLimits(each) for each in limits]
        routes = configuration([]).listeners[0].manager.route_config.virtual_hosts[0].routes
        self.layout = StatsLayout(
            configuration(
                [],
                routes=tuple(type(routes[0])(routes[0].match, "backend", limits=model) for model in models),
            )
        )
        self.rows = [memoryview(bytearray(8 * self.layout.slots)).cast("Q") for _ in range(2)]
        self.makers = [LimitMaker(self.layout, row, self.rows) for row in self.rows]

    def ready(self, worker: int, model: LocalRateLimit) -> ReadyLimit:
        limits = self.makers[worker].ready(TrafficLimits(model))
        assert limits is not None
        assert limits.local_rate_limit is not None
        return limits.local_rate_limit

    def counts(self) -> dict[str, int]:
        found = StatsReader(self.layout, self.rows).statistics()
        return {each.name: each.value for each in found if "http_local_rate_limit" in each.name and each.value}


def test_workers_share_the_bucket_and_count_by_themselves():
    model = limit()
    workers = Workers(model)
    first, second = workers.ready(0, model), workers.ready(1, model)
    assert [each.take(0, 5000) for each in (first, second, first, second)] == ["passes"] * 2 + ["enforced"] * 2
    assert second.take(0, 15_000) == "passes"
    assert workers.counts() == {
        "p.http_local_rate_limit.enabled": 5,
        "p.http_local_rate_limit.ok": 3,
        "p.http_local_rate_limit.rate_limited": 2,
        "p.http_local_rate_limit.enforced": 2,
    }


@pytest.mark.parametrize(
    ("fields", "expected", "counts"),
    [
        ({"enabled": 0}, "passes", []),
        ({"enforced": 0}, "exceeded", [3, 2, 1]),
        ({"enabled": 500_000, "enforced": 500_000}, "enforced", [3, 2, 1, 1]),
    ],
)
def test_shares(fields, expected, counts):
    """A request takes part when its number is below the share; whether it is enforced is decided by other digits."""
    model = limit(**fields)
    workers = Workers(model)
    ready = workers.ready(0, model)
    assert [ready.take(499_999, 5000) for _ in range(3)][2] == expected
    assert sorted(workers.counts().values()) == sorted(counts)
    if 0 < model.enforced < WHOLE:
        assert ready.take(499_999 + 500_000 * WHOLE, 5000) == "exceeded"
        assert ready.take(500_000, 5000) == "passes"


def test_places_have_buckets_of_their_own():
    here, there = limit(), LocalRateLimit("p", "there", BUCKET, enabled=WHOLE, enforced=WHOLE)
    workers = Workers(here, there)
    for model in (here, there):
        assert [workers.ready(0, model).take(0, 1) for _ in range(3)] == ["passes", "passes", "enforced"]
    other = TokenBucket(3, 1, 10.0)
    assert bucket_scope("here", BUCKET) != bucket_scope("here", other)


def test_headers():
    added = HeaderValue("x-a", "b")
    for fields in ({"response_add": (added,)}, {"request_add": (added,)}):
        (rules,) = Workers(limit(**fields)).ready(0, limit(**fields)).rules
        assert isinstance(rules, HeaderRules)
    assert Workers(limit()).ready(0, limit()).rules == ()
