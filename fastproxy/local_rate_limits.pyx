"""Entries of Envoy's filter `local_ratelimit`, made ready for one worker.

A request takes from the bucket of each of its descriptors that has one, the slowest first, and then from the bucket of
all requests; the first that is empty decides. Words of buckets lie in the first worker's row, where all workers take
from them; those of a connection that has some of its own lie with it, and buckets by value in a table (`limit_tables`).
"""

from hashlib import blake2b

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset

from fastproxy.connection_buckets cimport connection_buckets
from fastproxy.counters cimport (
    local_rate_limit_enabled, local_rate_limit_enforced, local_rate_limit_ok, local_rate_limit_rate_limited,
    local_rate_limit_shadow_mode,
)
from fastproxy.descriptors import DescriptorRule as make_rule
from fastproxy.descriptors cimport NO_HITS, DescriptorRule
from fastproxy.header_rules import HeaderRules
from fastproxy.keyed_buckets cimport TICKS_PER_MS, keyed_rate
from fastproxy.model import HeaderRules as RulesModel
from fastproxy.model_descriptors import ActionKind
from fastproxy.scopes import bucket_scope, descriptor_place
from fastproxy.token_buckets cimport bucket_give, bucket_rate, bucket_take, bucket_take_many

cdef enum:
    WHOLE = 1000000  # model_routes.WHOLE: of a share

cdef uint64_t NS_PER_MS = 1000000
cdef uint64_t NS_PER_S = 1000000000
cdef tuple WORDS = ("passes", "exceeded", "enforced")  # by LimitVerdict


cdef uint64_t number_of(str place):
    """What a limit is called in the keys of its clients; never 0."""
    digest = blake2b(place.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


cdef class LimitBucket:
    """One bucket, or where an entry has no value one for each that requests bring."""

    def __init__(self, model, entries=(), KeyedBuckets keyed=None, str place="", bint is_shadow=False):
        self.model = model
        self.is_shadow = is_shadow
        self.rate = bucket_rate(model)
        self.per_second = model.tokens_per_fill / model.fill_interval_s
        self.most = model.max_tokens
        self.entries = tuple((key.encode(), value.encode()) for key, value in entries)
        self.number = number_of(place).to_bytes(8, "little")
        if keyed is not None:
            self.keyed = keyed
            self.keyed_rate = keyed_rate(self.per_second, model.max_tokens)

    cdef bint fits(self, tuple descriptor) noexcept:
        """Whether the descriptor has these keys, and these values where they are given."""
        cdef Py_ssize_t i
        if len(descriptor) != len(self.entries):
            return False
        for i in range(len(descriptor)):
            key, value = <tuple> self.entries[i]
            if key != (<tuple> descriptor[i])[0] or value and value != (<tuple> descriptor[i])[1]:
                return False
        return True

    cdef bytes key(self, tuple descriptor, Case *case):
        """What the bucket of a descriptor's values is called, of a connection by itself where it has its own."""
        owner = b"" if case.own == NULL else (<char *> case.own)[:sizeof(uint64_t)]
        return self.number + owner + b"\0".join([value for _, value in descriptor])

    cdef uint64_t *word_of(self, Case *case) noexcept:
        return self.word if case.own == NULL else case.own + 1 + self.place

    cdef bint take(self, tuple descriptor, uint64_t tokens, Case *case) except -1:
        """Take so many tokens; False: there are fewer, and none was taken. As in Envoy there never are none."""
        cdef bint is_crowded = False
        cdef bytes key
        cdef uint64_t wait
        if tokens == 0:
            return False
        if self.keyed is None and tokens == 1:
            return bucket_take(self.word_of(case), &self.rate, case.now_ms * NS_PER_MS) == 0
        if self.keyed is None:
            return bucket_take_many(self.word_of(case), &self.rate, tokens, case.now_ms * NS_PER_MS) == 0
        if self.most == 0:
            return False
        key = self.key(descriptor, case)
        wait = self.keyed.take_many(key, len(key), &self.keyed_rate, tokens, case.now_ms, &is_crowded)
        case.is_crowded = case.is_crowded or is_crowded
        return wait == 0

    cdef int put_back(self, tuple descriptor, uint64_t tokens, Case *case) except -1:
        """Give so many tokens back, as far as there is room for them."""
        cdef bytes key
        if self.keyed is None:
            bucket_give(self.word_of(case), &self.rate, tokens, case.now_ms * NS_PER_MS)
        elif self.most:
            key = self.key(descriptor, case)
            self.keyed.put_back(key, len(key), &self.keyed_rate, tokens, case.now_ms)
        return 0

    cdef int tell(self, tuple descriptor, Case *case, Told *told) except -1:
        """Say what is left of the bucket, and for how long nothing will be."""
        cdef uint64_t now_ns = case.now_ms * NS_PER_MS
        cdef uint64_t missing, period, full
        cdef uint64_t *word
        cdef bytes key
        if self.keyed is None:
            word = self.word_of(case)
            missing = word[0] - now_ns if word[0] > now_ns else 0
            period, full = self.rate.period_ns, self.rate.full_ns
        else:
            key = self.key(descriptor, case)
            missing = self.keyed.missing_ticks(key, len(key), case.now_ms)
            period, full = self.keyed_rate.period_ticks, self.keyed_rate.full_ticks if self.most else 0
        told.most = self.most
        told.left = (full - missing) // period if missing < full else 0
        told.wait_ns = 0 if told.left else missing + period - full
        if self.keyed is not None:
            told.wait_ns *= NS_PER_MS // TICKS_PER_MS
        return 0


cdef list told_fields(const Told *told):
    """The headers that say what is left (draft-ietf-httpapi-ratelimit-headers-03, as Envoy fills them in)."""
    return [
        (b"x-ratelimit-limit", b"%d" % told.most),
        (b"x-ratelimit-remaining", b"%d" % told.left),
        (b"x-ratelimit-reset", b"%d" % ((told.wait_ns + NS_PER_S - 1) // NS_PER_S)),
    ]


cdef class LocalRateLimit:
    """One entry of the filter. `row` is the worker's own, `first_row` that of the first one, `keyed` the table of
    buckets by value, `service_cluster` what this proxy is called."""

    def __init__(self, model, layout, row, first_row, KeyedBuckets keyed, service_cluster=""):
        cdef uint64_t[::1] own = row
        self.model = model
        self.owners = (row, first_row)
        self.counters = &own[0] + <Py_ssize_t> layout.block("local_rate_limit", model.stat_prefix)
        self.enabled = model.enabled
        self.enforced = model.enforced
        self.status = model.status
        self.tells_clients = model.tells_clients
        self.takes_default_always = model.always_takes_default
        self.makers = tuple(make_rule(rule, service_cluster) for rule in model.rules)
        kinds = {action.kind for rule in model.rules for action in rule.actions}
        self.wants_cluster = ActionKind.DESTINATION_CLUSTER in kinds
        self.set_buckets(model, keyed)
        if model.per_connection:
            self.number = number_of(f"{model.place} {model.bucket} {model.descriptors}")
        else:
            self.own_words = 0
            self.share_words(model, layout, first_row)
        added = RulesModel(request_add=model.request_add, response_add=model.response_add)
        self.rules = () if added == RulesModel() else (HeaderRules(added),)

    cdef set_buckets(self, model, KeyedBuckets keyed):
        """Make the buckets, and count the words that they need."""
        cdef LimitBucket bucket
        if model.bucket is not None:
            self.bucket = LimitBucket(model.bucket)
        self.own_words = 1
        self.exact = {}
        wildcards = []
        for each in model.descriptors:
            place = bucket_scope(descriptor_place(model.place, each), each.bucket)
            table = keyed if each.is_wildcard else None
            bucket = LimitBucket(each.bucket, each.entries, table, place, each.is_shadow)
            if each.is_wildcard:
                wildcards.append(bucket)
            else:
                bucket.place = self.own_words
                self.own_words += 1
                self.exact[bucket.entries] = bucket
        self.wildcards = tuple(wildcards)

    cdef share_words(self, model, layout, first_row):
        """Have the buckets lie where all workers find them."""
        cdef uint64_t[::1] first = first_row
        cdef LimitBucket bucket
        if self.bucket is not None:
            name = bucket_scope(model.place, model.bucket)
            self.bucket.word = &first[0] + <Py_ssize_t> layout.block("bucket", name)
        for each in model.descriptors:
            if not each.is_wildcard:
                bucket = self.exact[tuple((key.encode(), value.encode()) for key, value in each.entries)]
                name = bucket_scope(descriptor_place(model.place, each), each.bucket)
                bucket.word = &first[0] + <Py_ssize_t> layout.block("bucket", name)

    cdef int judge(
        self, const RequestFacts *facts, Connection *c, bytes cluster, uint64_t now_ms, Told *told, bint *is_crowded
    ) except -1:
        """Take tokens for a request, and count: its LimitVerdict. Its draw decides whether it takes part where that is
        a share. `is_crowded` is set where a bucket by value had to make room for another."""
        cdef int taken
        cdef Case case
        told.is_wanted = False
        if facts.random % WHOLE >= self.enabled:
            return LIMIT_PASSES
        memset(&case, 0, sizeof(case))
        case.facts, case.now_ms = facts, now_ms
        self.counters[<int> local_rate_limit_enabled] += 1
        if self.own_words:
            case.own = connection_buckets(c, self.number, self.own_words, facts.random)
            if case.own == NULL:
                raise MemoryError
        taken = self.takes(&case, cluster, told)
        is_crowded[0] = case.is_crowded
        if taken == TAKEN:
            self.counters[<int> local_rate_limit_ok] += 1
            return LIMIT_PASSES
        self.counters[<int> local_rate_limit_rate_limited] += 1
        if taken == TAKEN_BUT_IN_SHADOW:
            self.counters[<int> local_rate_limit_shadow_mode] += 1
            return LIMIT_PASSES
        if facts.random // WHOLE % WHOLE >= self.enforced:
            return LIMIT_EXCEEDED
        self.counters[<int> local_rate_limit_enforced] += 1
        return LIMIT_ENFORCED

    cdef int takes(self, Case *case, bytes cluster, Told *told) except -1:
        """Take what the request needs. `told` is of the bucket that decided: the first empty one, or one of a
        descriptor before that of all requests."""
        cdef LimitBucket bucket
        cdef list matched = self.matched(case, cluster) if self.makers else None
        cdef tuple descriptor
        cdef Taken taken = TAKEN
        if matched:
            for bucket, descriptor, hits, gives_back, tells in matched:
                if gives_back:
                    bucket.put_back(descriptor, hits, case)
                    continue
                if bucket.take(descriptor, hits, case):
                    continue
                if taken == TAKEN or not bucket.is_shadow:
                    self.tell(bucket, descriptor, tells, case, told)
                if not bucket.is_shadow:
                    return TAKEN_NOT
                taken = TAKEN_BUT_IN_SHADOW
        if self.bucket is not None and (not matched or self.takes_default_always):
            if not self.bucket.take((), 1, case):
                if self.bucket.most:
                    self.tell(self.bucket, (), None, case, told)
                return TAKEN_NOT
        if taken == TAKEN and matched:
            bucket, descriptor, _, _, tells = matched[0]
            self.tell(bucket, descriptor, tells, case, told)
        elif taken == TAKEN and self.bucket is not None:
            self.tell(self.bucket, (), None, case, told)
        return taken

    cdef int tell(self, LimitBucket bucket, tuple descriptor, object tells, Case *case, Told *told) except -1:
        """Say what is left of a bucket if the client is to know it."""
        told.is_wanted = self.tells_clients if tells is None else tells
        return bucket.tell(descriptor, case, told) if told.is_wanted else 0

    cdef list matched(self, Case *case, bytes cluster):
        """The buckets of the request's descriptors, those that fill slowest first, each with its descriptor, its hits,
        whether these are put back, and whether clients are told of it."""
        cdef int64_t hits
        cdef DescriptorRule maker
        cdef LimitBucket bucket
        cdef list found = []
        for maker in self.makers:
            descriptor = maker.descriptor(case.facts, cluster)
            bucket = None if descriptor is None else self.find(descriptor)
            hits = NO_HITS if bucket is None else maker.hits_of(case.facts)
            if hits != NO_HITS:
                found.append((bucket, descriptor, hits, maker.gives_back, maker.tells_clients))
        if len(found) > 1:
            found.sort(key=speed)
        return found

    cdef LimitBucket find(self, tuple descriptor):
        """The bucket of a descriptor; None: it has none."""
        cdef LimitBucket bucket = self.exact.get(descriptor)
        if bucket is not None:
            return bucket
        for bucket in self.wildcards:
            if bucket.fits(descriptor):
                return bucket
        return None

    def take(self, uint64_t random, uint64_t now_ms):
        """`judge` for Python, of a request without anything: passes, exceeded or enforced."""
        cdef RequestFacts facts
        cdef Told told
        cdef bint is_crowded = False
        if self.own_words:
            raise ValueError("this limit needs a connection")
        memset(&facts, 0, sizeof(facts))
        facts.random = random
        return WORDS[self.judge(&facts, NULL, None, now_ms, &told, &is_crowded)]


def speed(found):
    return (<LimitBucket> found[0]).per_second
