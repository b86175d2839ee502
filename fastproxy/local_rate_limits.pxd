"""Entries of Envoy's filter `local_ratelimit`, made ready for one worker."""

cimport cython
from libc.stdint cimport uint64_t

from fastproxy.connections cimport Connection
from fastproxy.keyed_buckets cimport KeyedBuckets, KeyedRate
from fastproxy.request_facts cimport RequestFacts
from fastproxy.token_buckets cimport BucketRate

cdef enum LimitVerdict:
    LIMIT_PASSES
    LIMIT_EXCEEDED  # which is not enforced
    LIMIT_ENFORCED

cdef enum Taken:
    TAKEN_NOT  # a bucket was empty
    TAKEN_BUT_IN_SHADOW  # only one that does not count
    TAKEN

cdef struct Told:  # what a client is told of the bucket that decided
    bint is_wanted
    uint64_t most
    uint64_t left
    uint64_t wait_ns  # for the next token, where none is left

cdef struct Case:  # one request, and where its buckets are
    const RequestFacts *facts
    uint64_t *own  # the words of the connection, behind its name; NULL: all connections have the same ones
    uint64_t now_ms
    bint is_crowded  # a bucket by value had to make room for another


@cython.final
cdef class LimitBucket:
    cdef readonly object model  # model.TokenBucket
    cdef uint64_t *word  # that all connections share; NULL: each has one, or there is one for each value
    cdef size_t place  # among the words of a connection
    cdef BucketRate rate
    cdef KeyedBuckets keyed  # None: one bucket for all values
    cdef KeyedRate keyed_rate
    cdef bytes number  # in the keys of its values
    cdef tuple entries  # pairs of key and value; an empty value stands for any
    cdef readonly bint is_shadow
    cdef readonly double per_second
    cdef readonly uint64_t most

    cdef bint fits(self, tuple descriptor) noexcept
    cdef bytes key(self, tuple descriptor, Case *case)
    cdef uint64_t *word_of(self, Case *case) noexcept
    cdef bint take(self, tuple descriptor, uint64_t tokens, Case *case) except -1
    cdef int put_back(self, tuple descriptor, uint64_t tokens, Case *case) except -1
    cdef int tell(self, tuple descriptor, Case *case, Told *told) except -1


@cython.final
cdef class LocalRateLimit:
    cdef readonly object model  # model.LocalRateLimit
    cdef object owners  # of the words
    cdef uint64_t *counters
    cdef LimitBucket bucket  # None: none
    cdef dict exact  # LimitBucket by descriptor
    cdef tuple wildcards  # LimitBucket
    cdef tuple makers  # DescriptorRule
    cdef uint64_t number  # on connections that have buckets of their own
    cdef size_t own_words  # that such a connection needs; 0: all share them
    cdef uint64_t enabled  # in millionths
    cdef uint64_t enforced
    cdef bint takes_default_always
    cdef readonly bint wants_cluster  # a descriptor says where the request goes
    cdef readonly int status
    cdef readonly bint tells_clients
    cdef readonly tuple rules  # one HeaderRules; empty: none

    cdef int judge(
        self, const RequestFacts *facts, Connection *c, bytes cluster, uint64_t now_ms, Told *told, bint *is_crowded
    ) except -1
    cdef set_buckets(self, model, KeyedBuckets keyed)
    cdef share_words(self, model, layout, first_row)
    cdef int takes(self, Case *case, bytes cluster, Told *told) except -1
    cdef int tell(self, LimitBucket bucket, tuple descriptor, object tells, Case *case, Told *told) except -1
    cdef list matched(self, Case *case, bytes cluster)
    cdef LimitBucket find(self, tuple descriptor)


cdef uint64_t number_of(str place)
cdef list told_fields(const Told *told)
