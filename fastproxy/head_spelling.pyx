"""How the names in a written head are spelt, for clients and nodes that mind (Envoy: header_key_format)."""

from libc.string cimport memchr, memcmp, memcpy

from fastproxy.slices cimport Field


cdef char *name_end(char *at, char *end) noexcept nogil:
    """Where the name of this line ends; NULL behind the last line of a head."""
    return <char *> memchr(at, c":", end - at) if at < end and at[0] != c"\r" else NULL


cdef char *next_line(char *at, char *end) noexcept nogil:
    cdef char *line_end = <char *> memchr(at, c"\n", end - at) if at < end else NULL
    return end if line_end == NULL else line_end + 1


cdef void spell_properly(char *start, char *end) noexcept nogil:
    """Give every word of the names in a written head a capital (Envoy: proper_case_words)."""
    cdef char *at = next_line(start, end)
    cdef char *stop = name_end(at, end)
    cdef bint is_first
    while stop != NULL:
        is_first = True
        while at < stop:
            if is_first and c"a" <= at[0] <= c"z":
                at[0] -= 32
            is_first = not (c"a" <= at[0] <= c"z" or c"A" <= at[0] <= c"Z" or c"0" <= at[0] <= c"9")
            at += 1
        at = next_line(at, end)
        stop = name_end(at, end)


cdef void respell(
    char *start, char *end, const Head *head, const char *lowered, const char *spelled
) noexcept nogil:
    """Write the names of a head as the client has spelt them (Envoy: preserve_case).

    The names of `head` lie in `lowered`, which was `spelled` before it was parsed.
    """
    cdef const Field *field
    cdef char *at = next_line(start, end)
    cdef char *stop = name_end(at, end)
    cdef int i
    while stop != NULL:
        for i in range(head.received):
            field = &head.fields[i]
            if field.name.length == <size_t> (stop - at) and memcmp(field.name.data, at, field.name.length) == 0:
                memcpy(at, spelled + (field.name.data - lowered), field.name.length)
                break
        at = next_line(at, end)
        stop = name_end(at, end)
