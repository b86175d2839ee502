"""Changes to the fields of a parsed head, in place."""

from fastproxy.http1 cimport Head, HeaderId
from fastproxy.slices cimport Slice


cdef bint has_room(const Head *head, int fields) noexcept nogil
cdef void add_field(Head *head, const char *name, HeaderId id, Slice value) noexcept nogil
cdef void append_field(Head *head, Slice name, HeaderId id, Slice value) noexcept nogil
cdef void set_field(Head *head, const char *name, HeaderId id, Slice value) noexcept nogil
cdef void remove_field(Head *head, int index) noexcept nogil
cdef bint has_field(const Head *head, Slice name, HeaderId id) noexcept nogil
cdef void remove_fields(Head *head, Slice name, HeaderId id) noexcept nogil
