"""Which exchanges an access log or a mapper of local replies is for (Envoy: config.accesslog.v3.AccessLogFilter).

A filter is a tree; here it lies in one array, each condition before those below it.
"""

from libc.stdlib cimport calloc, free

from fastproxy.model import LogCondition, LogOperator
from fastproxy.response_flags import NAMES

cdef enum:
    STATUS
    DURATION
    FLAGS
    SHARE
    BOTH  # all of those below
    EITHER
    EQUAL = 0
    AT_LEAST
    AT_MOST
    UNEQUAL
    MILLION = 1000000

cdef uint64_t SPREAD = 0x9E3779B97F4A7C15  # 2**64 by the golden ratio (Knuth, section 6.4): neighbours fall far apart

KINDS = {
    LogCondition.STATUS: STATUS, LogCondition.DURATION: DURATION, LogCondition.FLAGS: FLAGS,
    LogCondition.SHARE: SHARE, LogCondition.AND: BOTH, LogCondition.OR: EITHER,
}
COMPARISONS = {
    LogOperator.EQ: EQUAL, LogOperator.GE: AT_LEAST, LogOperator.LE: AT_MOST, LogOperator.NE: UNEQUAL,
}
BITS = {letters.decode(): 1 << number for number, (letters, _) in enumerate(NAMES)}


def size_of(model):
    """How many conditions a filter has."""
    return 1 + sum(size_of(each) for each in model.filters)


cdef class LogFilter:
    """A filter made ready."""

    def __cinit__(self, model):
        self.model = model
        self.conditions = <Condition *> calloc(size_of(model), sizeof(Condition))
        if self.conditions == NULL:
            raise MemoryError
        self.add(model)

    def __dealloc__(self):
        free(self.conditions)

    cdef int add(self, object model) except -1:
        cdef int place = self.count
        self.count += 1
        self.conditions[place].kind = KINDS[model.condition]
        self.conditions[place].comparison = COMPARISONS[model.operator]
        self.conditions[place].value = model.value
        for flag in model.flags:
            self.conditions[place].value |= BITS.get(flag, 0)
        for each in model.filters:
            self.add(each)
        self.conditions[place].end = self.count
        return 0

    # hot

    cdef bint admits(self, const LogFacts *facts) noexcept nogil:
        """Whether the filter is for this exchange; of a share of them, those that began at chance times."""
        return self.holds(0, facts)

    cdef bint holds(self, int place, const LogFacts *facts) noexcept nogil:
        cdef Condition *condition = &self.conditions[place]
        cdef int below = place + 1
        if condition.kind == STATUS:
            return compares(condition, facts.response_code)
        if condition.kind == DURATION:
            return compares(condition, facts.duration_us // 1000 if facts.duration_us > 0 else 0)
        if condition.kind == FLAGS:
            return facts.flags & condition.value if condition.value else facts.flags != 0
        if condition.kind == SHARE:
            return (<uint64_t> facts.start_us * SPREAD >> 32) % MILLION < condition.value
        while below < condition.end:
            if self.holds(below, facts) != (condition.kind == BOTH):
                return condition.kind == EITHER
            below = self.conditions[below].end
        return condition.kind == BOTH

    # end hot

    def admits_py(self, status=0, duration_ms=0, flags=(), start_us=0):
        """`admits` for Python."""
        cdef LogFacts facts
        facts.response_code = status
        facts.duration_us = duration_ms * 1000
        facts.start_us = start_us
        facts.flags = 0
        for flag in flags:
            facts.flags |= BITS[flag]
        return bool(self.admits(&facts))


cdef inline bint compares(const Condition *condition, uint64_t value) noexcept nogil:
    if condition.comparison == EQUAL:
        return value == condition.value
    if condition.comparison == AT_LEAST:
        return value >= condition.value
    if condition.comparison == AT_MOST:
        return value <= condition.value
    return value != condition.value
