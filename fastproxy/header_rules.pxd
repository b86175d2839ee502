"""Headers that a route configuration adds and removes, made ready."""

cimport cython

from fastproxy.http1 cimport Head, HeaderId
from fastproxy.log_operations cimport Formats, LogFacts
from fastproxy.log_record cimport LogRecord, Wants
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice

cdef struct Room:  # for the values that rules write, valid as long as the head that they are written for
    char *text
    size_t size
    size_t used

cdef struct HeaderName:
    Slice text
    HeaderId id

cdef struct Addition:
    HeaderName name
    int action
    bint keep_empty_value


@cython.final
cdef class HeaderChanges:
    cdef tuple names
    cdef Formats formats
    cdef Addition *additions
    cdef HeaderName *removals
    cdef int addition_count
    cdef int removal_count

    cdef bint apply(self, Head *head, LogRecord *record, const LogFacts *facts, Room *room) noexcept nogil


cdef class HeaderRules:
    cdef readonly object model  # model.HeaderRules
    cdef HeaderChanges request  # None: nothing to change
    cdef HeaderChanges response
    cdef readonly bint tells_local_address


@cython.final
cdef class KeptValues:
    cdef LogRecord *records[8]  # one for each level; MAX_LEVELS


cdef LogRecord *record_of(const Wants *wants, const RequestFacts *request) noexcept nogil
# False: the head cannot take what the rules add
cdef bint change_request(
    tuple rules, const RequestFacts *request, const LogFacts *facts, Room *room
) noexcept
# what the rules will need of this request for its response; None: nothing
cdef KeptValues keep_for_response(tuple rules, const RequestFacts *request)
cdef bint change_response(
    tuple rules, Head *head, KeptValues kept, const LogFacts *facts, Room *room
) noexcept
