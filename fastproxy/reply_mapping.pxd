"""What a connection manager makes of the answers that the proxy gives by itself."""

from fastproxy.header_rules cimport HeaderRules
from fastproxy.http1 cimport Head
from fastproxy.log_filter cimport LogFilter
from fastproxy.log_operations cimport Formats, LogFacts
from fastproxy.log_record cimport LogRecord
from fastproxy.slices cimport Slice


cdef class ReplyBody:
    cdef readonly bytes content_type
    cdef bint is_json
    cdef list pieces  # what stands for itself (bytes), the reply's own body (None), a format (its number)
    cdef list quoted  # of each piece: whether it stands in a text of the JSON


cdef class ReplyMapper:
    cdef LogFilter filter
    cdef readonly int status  # 0: it stays
    cdef readonly bytes body  # None: it stays
    cdef ReplyBody format  # None: that of all
    cdef readonly tuple header_rules


cdef class ReplyMapping:
    cdef Formats formats
    cdef list compiled
    cdef readonly tuple mappers
    cdef ReplyBody format

    cdef LogRecord *capture(self, const Slice *pseudo, const Head *head) noexcept nogil
    cdef ReplyMapper mapper_for(self, const LogFacts *facts)
    cdef bytes render(self, ReplyMapper mapper, bytes body, LogRecord *record, const LogFacts *facts)
    cdef bytes content_type(self, ReplyMapper mapper)
    cdef bytes value(self, int number, const Slice *values, size_t value_bytes, const LogFacts *facts, bint *is_unset)
