"""The tables of limits by client, in memory that all workers share: token buckets, and counts of what is open."""

from fastproxy.keyed_buckets import KeyedBuckets as make_buckets
from fastproxy.keyed_buckets import keyed_bytes
from fastproxy.live_counts import LiveCounts as make_counts
from fastproxy.live_counts import counts_bytes

TABLE_KEYS = 1 << 16
"""Clients that each table has room for: 512 KiB of buckets, and 512 KiB of counts for each worker and once more. Pages
cost nothing until they are touched."""
PRIVATE_KEYS = 1 << 10


def limits_bytes(workers, keys=TABLE_KEYS):
    """Memory for both tables."""
    return keyed_bytes(keys) + counts_bytes(keys, workers)


cdef class LimitTables:
    """Over `region`, a writable buffer of `limits_bytes` that begins with a cache line. `worker` is the number of this
    one among `workers`; `key` is 16 secret bytes, the same in every process."""

    def __init__(self, region, key, worker=0, workers=1, keys=TABLE_KEYS):
        words = memoryview(region).cast("B").cast("Q")
        half = keyed_bytes(keys) // 8
        self.buckets = make_buckets(words[:half], key)
        self.counts = make_counts(words[half:], key, worker, workers)

    @staticmethod
    def private():
        """Small tables of one process alone."""
        return LimitTables(bytearray(limits_bytes(1, PRIVATE_KEYS)), bytes(16), keys=PRIVATE_KEYS)
