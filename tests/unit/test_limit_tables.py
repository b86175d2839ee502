"""Both tables in one region."""

from fastproxy.limit_tables import TABLE_KEYS, LimitTables, limits_bytes


def test_tables_do_not_overlap():
    memory = memoryview(bytearray(limits_bytes(2, 64)))
    tables = [LimitTables(memory, bytes(16), worker, 2, keys=64) for worker in range(2)]
    for number in range(1000):
        tables[0].buckets.allow(b"%d" % number, 0.001, 1, 1 << 30)
    assert tables[0].counts.open(b"a") == 0
    assert [each.counts.enter(b"a", 2) >= 0 for each in (*tables, tables[0])] == [True, True, False]
    assert tables[1].counts.open(b"a") == 2


def test_sizes():
    assert limits_bytes(4) == TABLE_KEYS * 8 * (1 + 1 + 4) + 64
    assert LimitTables.private().counts.open(b"a") == 0
