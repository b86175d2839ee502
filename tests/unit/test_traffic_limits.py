"""Limits made ready for a worker."""

from dataclasses import replace

from fastproxy.model import NO_LIMITS, LocalRateLimit, TokenBucket, TrafficLimits
from fastproxy.model_descriptors import ActionKind, DescriptorAction, DescriptorRule
from fastproxy.stats import StatsLayout
from fastproxy.traffic_limits import LimitMaker
from tests.unit.engine_world import configuration

LIMIT = LocalRateLimit("p", "here", TokenBucket(2, 1, 10.0), enabled=1_000_000, enforced=1_000_000)


def maker() -> LimitMaker:
    layout = StatsLayout(configuration([], manager={"limits": TrafficLimits(LIMIT)}))
    row = memoryview(bytearray(8 * layout.slots)).cast("Q")
    return LimitMaker(layout, row, [row])


def test_what_is_equal_is_made_once():
    ready = maker().ready
    assert ready(NO_LIMITS) is None
    assert ready(TrafficLimits(LIMIT)) is ready(TrafficLimits(replace(LIMIT)))


def test_what_the_proxy_is_called_is_part_of_descriptors():
    made = maker()
    source = DescriptorAction(ActionKind.SOURCE_CLUSTER, "source_cluster")
    limits = TrafficLimits(replace(LIMIT, rules=(DescriptorRule((source,)),)))
    first = made.ready(limits)
    made.service_cluster = "edge"
    assert made.ready(limits) is not first
