"""How the names in a written head are spelt."""

from fastproxy.http1 cimport Head


cdef void spell_properly(char *start, char *end) noexcept nogil
cdef void respell(
    char *start, char *end, const Head *head, const char *lowered, const char *spelled
) noexcept nogil
