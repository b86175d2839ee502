from fastproxy.keyed_buckets import KeyedBuckets
from fastproxy.live_counts import LiveCounts

TABLE_KEYS: int

def limits_bytes(workers: int, keys: int = ...) -> int: ...

class LimitTables:
    buckets: KeyedBuckets
    counts: LiveCounts
    def __init__(self, region: memoryview, key: bytes, worker: int = 0, workers: int = 1, keys: int = ...) -> None: ...
    @staticmethod
    def private() -> LimitTables: ...
