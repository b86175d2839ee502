"""What routes and their kin ask of a request: headers as Envoy shows them to filters, query parameters, cookies."""

from libc.string cimport memchr, memcmp, strlen

from fastproxy.http1 cimport (
    H_CONNECTION, H_TE, H_UPGRADE, H_X_FORWARDED_PROTO, TOKEN_OTHER, TOKEN_UPGRADE, Head, equals, has_token, header,
    is_joined,
)
from fastproxy.slices cimport Field, Slice

# hot

cdef size_t bare_length(Slice path) noexcept nogil:
    """The length of a path without its query."""
    cdef const char *query = <const char *> memchr(path.data, c"?", path.length)
    return query - path.data if query != NULL else path.length


cdef int next_line(const Head *head, const char *name, size_t length, int start) noexcept nogil:
    """The first field of that name from `start` on, -1: none; of a header that is kept as one line, the first only."""
    cdef const Field *field
    cdef int i
    for i in range(start, head.count):
        field = &head.fields[i]
        if field.name.length == length and memcmp(field.name.data, name, length) == 0:
            return -1 if is_joined(field.id) and head.first[field.id] != i else i
    return -1


cdef bint query_parameter(Slice path, const char *name, size_t length, Slice *value) noexcept nogil:
    """The first parameter of that name, undecoded; False when there is none."""
    cdef size_t at = bare_length(path) + 1
    cdef const char *stop
    cdef const char *equal
    cdef size_t end, name_end
    while at <= path.length:
        stop = <const char *> memchr(path.data + at, c"&", path.length - at)
        end = stop - path.data if stop != NULL else path.length
        equal = <const char *> memchr(path.data + at, c"=", end - at)
        name_end = equal - path.data if equal != NULL else end
        if name_end - at == length and memcmp(path.data + at, name, length) == 0:
            value.data = path.data + (name_end + 1 if equal != NULL else end)
            value.length = path.data + end - value.data
            return True
        at = end + 1
    return False

# end hot


cdef Slice scheme_of(const Head *head) noexcept nogil:
    """`http` or `https`, as far as x-forwarded-proto or an absolute target says so."""
    cdef const Slice *proto = header(head, H_X_FORWARDED_PROTO)
    cdef Slice scheme = Slice(b"http", 4)
    if head.target.length > 8 and equals(Slice(head.target.data, 8), b"https://"):
        return Slice(head.target.data, 5)
    if proto != NULL and equals(proto[0], b"https"):
        scheme = proto[0]
    return scheme


cdef bint is_internal(const Head *head) noexcept nogil:
    """Whether the connection manager took the request for one from inside."""
    cdef int line = next_line(head, b"x-envoy-internal", 16, 0)
    return line >= 0 and equals(head.fields[line].value, b"true")


cdef bint pseudo_header(Slice *value, const char *name, const RequestFacts *facts) noexcept nogil:
    cdef Slice text = Slice(name, strlen(name))
    if equals(text, b":path"):
        value[0] = facts.path
    elif equals(text, b":authority"):
        value[0] = facts.authority
    elif equals(text, b":method"):
        value[0] = facts.head.method
    elif equals(text, b":scheme"):
        value[0] = scheme_of(facts.head)
    else:
        return False
    return True


cdef bint is_shown(const Head *head, const char *name) noexcept nogil:
    """Whether a header is the request's own: those about the connection are not, but for those of an upgrade."""
    cdef Slice text = Slice(name, strlen(name))
    cdef const Slice *connection = header(head, H_CONNECTION)
    cdef const Slice *te
    cdef bint is_upgrade = head.tokens & TOKEN_UPGRADE and header(head, H_UPGRADE) != NULL
    if equals(text, b"connection") or equals(text, b"upgrade"):
        return is_upgrade
    if equals(text, b"keep-alive") or equals(text, b"proxy-connection") or equals(text, b"transfer-encoding"):
        return False
    if equals(text, b"te"):
        te = header(head, H_TE)
        return te != NULL and has_token(te[0], b"trailers")
    return is_upgrade or not head.tokens & TOKEN_OTHER or connection == NULL or not has_token(connection[0], name)


cdef bytes joined_line(const Head *head, int line):
    """The value of repeated lines that are kept as one; None for a field that is all of its line."""
    cdef int id = head.fields[line].id
    cdef int i
    if not head.repeated >> id & 1 or not is_joined(id):
        return None
    values = []
    for i in range(line, head.count):
        if head.fields[i].id == id and head.fields[i].value.length:
            values.append(head.fields[i].value.data[:head.fields[i].value.length])
    return b",".join(values)


cdef bint cookie(const Head *head, const char *name, size_t length, Slice *value) noexcept nogil:
    """The first cookie of that name, without quotes around it; False when there is none."""
    cdef Slice line
    cdef size_t at, end
    cdef const char *stop
    cdef const char *equal
    cdef int i = next_line(head, b"cookie", 6, 0)
    while i >= 0:
        line = head.fields[i].value
        at = 0
        while at < line.length:
            stop = <const char *> memchr(line.data + at, c";", line.length - at)
            end = stop - line.data if stop != NULL else line.length
            while at < end and line.data[at] == c" ":
                at += 1
            equal = <const char *> memchr(line.data + at, c"=", end - at)
            if equal != NULL and <size_t> (equal - line.data) - at == length and \
                    memcmp(line.data + at, name, length) == 0:
                value[0] = unquoted(Slice(equal + 1, line.data + end - equal - 1))
                return True
            at = end + 1
        i = next_line(head, b"cookie", 6, i + 1)
    return False


cdef Slice unquoted(Slice value) noexcept nogil:
    if value.length >= 2 and value.data[0] == c'"' and value.data[value.length - 1] == c'"':
        return Slice(value.data + 1, value.length - 2)
    return value


cdef bint read_number(Slice text, uint64_t *number) noexcept nogil:
    """A decimal number of 64 bits without sign; False for anything else."""
    cdef uint64_t value = 0
    cdef uint64_t limit = ~(<uint64_t> 0)
    cdef uint64_t digit
    cdef size_t at
    for at in range(text.length):
        digit = <unsigned char> text.data[at] - 48
        if digit > 9 or value > (limit - digit) // 10:
            return False
        value = value * 10 + digit
    number[0] = value
    return text.length > 0
