"""As many connections as there may be, all workers together."""

from fastproxy.connection_gates import ConnectionGate
from fastproxy.model import ConnectionLimit
from fastproxy.stats import StatsLayout, StatsReader
from tests.unit.engine_world import configuration

LIMIT = ConnectionLimit("l", 3)


def test_workers_share_the_limit():
    model = configuration([], manager={"connection_limit": LIMIT})
    layout = StatsLayout(model)
    rows = [memoryview(bytearray(8 * layout.slots)).cast("Q") for _ in range(2)]
    gates = [ConnectionGate(LIMIT, layout, row, rows) for row in rows]
    assert [gates[number].admit() for number in (0, 1, 1, 0, 1)] == [True, True, True, False, False]
    gates[1].release()
    assert gates[0].admit()
    values = {each.name: (each.value, each.is_gauge) for each in StatsReader(layout, rows).statistics()}
    assert values["connection_limit.l.active_connections"] == (3, True)
    assert values["connection_limit.l.limited_connections"] == (2, False)
