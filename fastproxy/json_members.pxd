"""The members of a JSON object that may not be complete yet, and the escapes of JSON and JavaScript strings."""

from fastproxy.slices cimport Slice

cdef enum Found:
    FOUND_NOTHING  # nor will more bytes change that
    FOUND_PART  # more bytes are needed
    FOUND

cdef struct Member:
    Slice key  # as it is written, between the quotes
    Slice value  # the same for a string, all of it for any other value
    bint is_string


cdef Found next_member(const char **at, const char *end, Member *member) noexcept nogil
cdef Found find_member(
    const char *data, size_t length, const char *name, size_t name_length, Member *member
) noexcept nogil
cdef const char *string_end(const char *at, const char *end, char quote) noexcept nogil
cdef int hex_digits(const char *at, const char *end, int count) noexcept nogil
cdef ssize_t unescape(const char *at, const char *end, char *out, size_t room) noexcept nogil
