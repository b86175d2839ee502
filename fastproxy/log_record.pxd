from libc.stdint cimport uint32_t

from fastproxy.slices cimport Field, Slice

cdef enum:
    MAX_VALUES = 64  # header values that one format may name

cdef enum:  # pseudo headers
    NO_PSEUDO
    METHOD
    PATH
    AUTHORITY
    SCHEME
    PSEUDOS

cdef struct Name:
    Slice text  # lower case; empty: no name
    int pseudo
    bint is_joined

# A header value that a format names: the first of two headers that there is, cut to `maximum` bytes.
cdef struct Wanted:
    Name names[2]
    size_t maximum

cdef struct Wants:
    int requests  # these come first
    int responses
    Wanted wanted[MAX_VALUES]

# The values, kept until the line is written: the lengths of all of them, then their bytes, in one piece of memory.
cdef struct LogRecord:
    uint32_t lengths[1]

cdef Name name_of(bytes text) except *
cdef LogRecord *new_record(const Wants *wants, const Slice *pseudo, const Field *fields, int count) noexcept nogil
cdef LogRecord *add_response(
    LogRecord *record, const Wants *wants, const Field *fields, int count
) noexcept nogil
cdef size_t spread(const LogRecord *record, const Wants *wants, Slice *values) noexcept nogil
