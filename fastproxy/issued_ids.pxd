"""Session ids of other protocols than Engine.IO's: where a message may carry one, and what may be one."""

from fastproxy.http1 cimport Head
from fastproxy.json_members cimport Found
from fastproxy.slices cimport Slice

cdef enum:
    MAX_ID = 1024
    MAX_ISSUING_BYTES = 16384  # of a body that are looked at

cdef struct SessionId:
    size_t length  # 0: there is none
    char text[1024]  # MAX_ID


cdef bint take_id(SessionId *id, Slice value) noexcept nogil
cdef bint take_query_id(SessionId *id, Slice value) noexcept nogil
cdef bint sockjs_id(SessionId *id, Slice path) noexcept nogil
cdef bint url_id(SessionId *id, Slice url, const char *name, size_t length) noexcept nogil
cdef Found set_cookie_id(SessionId *id, const Head *head, const char *name, size_t length) noexcept nogil
cdef Found json_id(SessionId *id, const char *data, size_t length, const char *name, size_t name_length) noexcept nogil
cdef Found event_id(SessionId *id, const char *data, size_t length, const char *name, size_t name_length) noexcept nogil
