"""Header values that outlive the head they stood in, because a line of the access log will show them.

Owns which value a name means and how a set of values is kept: one piece of memory of exactly the size needed, since a
tunnel may hold it for hours. Knows nothing of lines or files.
"""

from libc.stdint cimport uint32_t
from libc.stdlib cimport malloc, realloc
from libc.string cimport memcmp, memcpy

from fastproxy.http1 cimport header_id, is_joined
from fastproxy.slices cimport Field, Slice

cdef extern from *:
    const size_t NOT_THERE "((size_t)-1)"
    const uint32_t ABSENT "UINT32_MAX"

PSEUDO_NAMES = {b":method": METHOD, b":path": PATH, b":authority": AUTHORITY, b"host": AUTHORITY, b":scheme": SCHEME}


cdef Name name_of(bytes text) except *:
    """Borrows `text`."""
    return Name(Slice(text, len(text)), PSEUDO_NAMES.get(text, NO_PSEUDO), is_joined(header_id(text, len(text))))


cdef inline void add(char *out, size_t limit, size_t *length, Slice piece) noexcept nogil:
    """Copy what fits below `limit`; the length grows by the whole piece."""
    if length[0] < limit:
        memcpy(out + length[0], piece.data, min(limit - length[0], piece.length))
    length[0] += piece.length


cdef size_t take_header(const Name *name, const Field *fields, int count, char *out, size_t limit) noexcept nogil:
    cdef size_t length = 0
    cdef bint is_there = False
    cdef int i
    # hot
    for i in range(count):
        if fields[i].name.length != name.text.length:
            continue
        if memcmp(fields[i].name.data, name.text.data, name.text.length) == 0:
            is_there = True
            if length and fields[i].value.length:
                add(out, limit, &length, Slice(b",", 1))
            if fields[i].value.length:
                add(out, limit, &length, fields[i].value)
            if not name.is_joined:
                break
    # end hot
    return length if is_there else NOT_THERE


cdef size_t take_name(
    const Name *name, const Slice *pseudo, const Field *fields, int count, char *out, size_t limit
) noexcept nogil:
    cdef size_t length = 0
    if name.text.length == 0:
        return NOT_THERE
    if name.pseudo == NO_PSEUDO:
        return take_header(name, fields, count, out, limit)
    if pseudo == NULL or pseudo[name.pseudo].length == 0:
        return NOT_THERE
    add(out, limit, &length, pseudo[name.pseudo])
    return length


cdef size_t take(
    const Wanted *wanted, const Slice *pseudo, const Field *fields, int count, char *out, size_t limit
) noexcept nogil:
    """Whole length of the value, its first `limit` bytes copied to `out`; NOT_THERE when neither name is."""
    cdef size_t length = take_name(&wanted.names[0], pseudo, fields, count, out, limit)
    return take_name(&wanted.names[1], pseudo, fields, count, out, limit) if length == NOT_THERE else length


cdef size_t measure(
    const Wanted *wanted, int number, const Slice *pseudo, const Field *fields, int count, uint32_t *lengths
) noexcept nogil:
    """The length of each value; returns their sum."""
    cdef size_t length, total = 0
    cdef int i
    for i in range(number):
        length = take(wanted + i, pseudo, fields, count, NULL, 0)
        lengths[i] = ABSENT if length == NOT_THERE else <uint32_t>min(length, wanted[i].maximum)
        total += 0 if length == NOT_THERE else lengths[i]
    return total


cdef void fill(
    const Wanted *wanted,
    int number,
    const Slice *pseudo,
    const Field *fields,
    int count,
    const uint32_t *lengths,
    char *out,
) noexcept nogil:
    cdef int i
    for i in range(number):
        if lengths[i] != ABSENT:
            take(wanted + i, pseudo, fields, count, out, lengths[i])
            out += lengths[i]


cdef inline char *bytes_of(LogRecord *record, const Wants *wants) noexcept nogil:
    return <char *>(record.lengths + wants.requests + wants.responses)


cdef inline size_t head_bytes(const Wants *wants) noexcept nogil:
    return (wants.requests + wants.responses) * sizeof(uint32_t)


cdef LogRecord *new_record(const Wants *wants, const Slice *pseudo, const Field *fields, int count) noexcept nogil:
    """The values of a request; `pseudo` is indexed by METHOD and its like.

    NULL when nothing is wanted or there is no memory.
    """
    cdef uint32_t lengths[MAX_VALUES]
    cdef size_t total = measure(wants.wanted, wants.requests, pseudo, fields, count, lengths)
    cdef LogRecord *record = NULL
    cdef int i
    if wants.requests + wants.responses:
        record = <LogRecord *>malloc(head_bytes(wants) + total)
    if record != NULL:
        for i in range(wants.requests, wants.requests + wants.responses):
            lengths[i] = ABSENT
        memcpy(record.lengths, lengths, head_bytes(wants))
        fill(wants.wanted, wants.requests, pseudo, fields, count, lengths, bytes_of(record, wants))
    return record


cdef LogRecord *add_response(
    LogRecord *record, const Wants *wants, const Field *fields, int count
) noexcept nogil:
    """The values of a response beside those of its request, in place of an earlier response's. May move the record."""
    cdef uint32_t lengths[MAX_VALUES]
    cdef const Wanted *wanted = wants.wanted + wants.requests
    cdef size_t total, kept = 0
    cdef LogRecord *grown
    cdef int i
    if record == NULL or wants.responses == 0:
        return record
    for i in range(wants.requests):
        kept += 0 if record.lengths[i] == ABSENT else record.lengths[i]
    total = measure(wanted, wants.responses, NULL, fields, count, lengths)
    grown = <LogRecord *>realloc(record, head_bytes(wants) + kept + total)
    if grown == NULL:
        return record
    memcpy(grown.lengths + wants.requests, lengths, wants.responses * sizeof(uint32_t))
    fill(wanted, wants.responses, NULL, fields, count, lengths, bytes_of(grown, wants) + kept)
    return grown


cdef size_t spread(const LogRecord *record, const Wants *wants, Slice *values) noexcept nogil:
    """Where each value lies, data NULL where there is none; returns the sum of their lengths."""
    cdef const char *at = NULL
    cdef size_t total = 0
    cdef int i
    if record != NULL:
        at = bytes_of(<LogRecord *>record, wants)
    for i in range(wants.requests + wants.responses):
        values[i] = Slice(NULL, 0)
        if record != NULL and record.lengths[i] != ABSENT:
            values[i] = Slice(at + total, record.lengths[i])
            total += record.lengths[i]
    return total
