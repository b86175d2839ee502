"""The tables of limits by client, in memory that all workers share."""

cimport cython

from fastproxy.keyed_buckets cimport KeyedBuckets
from fastproxy.live_counts cimport LiveCounts


@cython.final
cdef class LimitTables:
    cdef readonly KeyedBuckets buckets
    cdef readonly LiveCounts counts
