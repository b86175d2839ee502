"""What routes and their kin ask of a request: headers as Envoy shows them to filters, query parameters, cookies."""

from libc.stdint cimport uint64_t

from fastproxy.http1 cimport Head
from fastproxy.request_facts cimport RequestFacts
from fastproxy.slices cimport Slice

cdef size_t bare_length(Slice path) noexcept nogil
cdef Slice scheme_of(const Head *head) noexcept nogil
cdef bint is_internal(const Head *head) noexcept nogil
cdef bint pseudo_header(Slice *value, const char *name, const RequestFacts *facts) noexcept nogil
cdef bint is_shown(const Head *head, const char *name) noexcept nogil
cdef int next_line(const Head *head, const char *name, size_t length, int start) noexcept nogil
cdef bytes joined_line(const Head *head, int line)
cdef bint query_parameter(Slice path, const char *name, size_t length, Slice *value) noexcept nogil
cdef bint cookie(const Head *head, const char *name, size_t length, Slice *value) noexcept nogil
cdef Slice unquoted(Slice value) noexcept nogil
cdef bint read_number(Slice text, uint64_t *number) noexcept nogil
