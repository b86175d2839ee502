"""Writes heads anew from parsed fields: what was not understood is not forwarded.

Names, order and values follow Envoy 1.40: received fields first, in their order, then what the proxy adds.
"""

from http import HTTPStatus

from libc.string cimport memcpy

from fastproxy.head_spelling cimport spell_properly
from fastproxy.http1 cimport (
    H_CONNECTION, H_CONTENT_LENGTH, H_CONTENT_TYPE, H_DATE, H_EXPECT, H_HOST, H_KEEP_ALIVE, H_PROXY_CONNECTION,
    H_SERVER, H_TE, H_TRANSFER_ENCODING, H_UPGRADE, H_VARY, H_VIA, H_X_ENVOY_UPSTREAM_SERVICE_TIME, H_X_REQUEST_ID,
    TOKEN_OTHER, bit, equals, has_token, is_joined,
)
from fastproxy.slices cimport Field

cdef uint64_t HOP_BY_HOP = (
    bit(H_CONNECTION) | bit(H_KEEP_ALIVE) | bit(H_PROXY_CONNECTION) | bit(H_UPGRADE) | bit(H_TRANSFER_ENCODING)
)

# `HTTP/1.1 200 OK\r\n` for every status, cut at the version
cdef list STATUS_LINES = []
cdef const char *STATUS_TEXT[1000]
cdef size_t STATUS_LENGTH[1000]


cdef int fill_tables() except -1:
    cdef int i
    phrases = {status.value: status.phrase for status in HTTPStatus}
    phrases |= {413: "Payload Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable",
                422: "Unprocessable Entity", 418: "Unknown",
                451: "Unknown", 599: "Last Unassigned Server Error Code"}
    for i in range(1000):
        line = f" {i:03} {phrases.get(i, 'Unknown')}\r\n".encode()
        STATUS_LINES.append(line)
        STATUS_TEXT[i] = line
        STATUS_LENGTH[i] = len(line)


fill_tables()


# hot

cdef void put(Writer *writer, const char *data, size_t length) noexcept nogil:
    if <size_t> (writer.end - writer.at) < length:
        writer.overflow = True
        return
    memcpy(writer.at, data, length)
    writer.at += length


cdef inline void put_slice(Writer *writer, Slice slice) noexcept nogil:
    put(writer, slice.data, slice.length)


cdef void put_number(Writer *writer, uint64_t number) noexcept nogil:
    cdef char digits[24]
    cdef int at = 24
    while True:
        at -= 1
        digits[at] = <char> (48 + number % 10)
        number //= 10
        if number == 0:
            break
    put(writer, digits + at, 24 - at)


cdef inline void put_field(Writer *writer, Slice name, Slice value) noexcept nogil:
    cdef char *at = writer.at
    if <size_t> (writer.end - at) < name.length + value.length + 4:
        writer.overflow = True
        return
    memcpy(at, name.data, name.length)
    at += name.length
    at[0] = c":"
    at[1] = c" "
    at += 2
    memcpy(at, value.data, value.length)
    at += value.length
    at[0] = c"\r"
    at[1] = c"\n"
    writer.at = at + 2


cdef inline bint goes_out_joined(int id) noexcept nogil:
    return is_joined(id) or id == H_VARY or id == H_CONNECTION or id == H_UPGRADE


cdef void put_joined(Writer *writer, Head *head, int first) noexcept nogil:
    """A field and the later ones of its kind as one line; empty values get no comma."""
    cdef bint is_empty = True
    cdef int i
    put_slice(writer, head.fields[first].name)
    put(writer, b": ", 2)
    for i in range(first, head.count):
        if head.fields[i].id == head.fields[first].id and head.fields[i].value.length:
            if not is_empty:
                put(writer, b",", 1)
            put_slice(writer, head.fields[i].value)
            is_empty = False
    put(writer, b"\r\n", 2)


cdef bint is_named_by_connection(Head *head, Field *field) noexcept nogil:
    cdef char name[256]
    cdef int i
    if field.name.length > 255:
        return False
    memcpy(name, field.name.data, field.name.length)
    name[field.name.length] = 0
    for i in range(head.count):
        if head.fields[i].id == H_CONNECTION and has_token(head.fields[i].value, name):
            return True
    return False


cdef bint forwards_request_field(Head *head, Field *field, RequestHead *plan) noexcept nogil:
    """Whether a received field goes on to the upstream as it is."""
    if field.name.length == 0:
        return False
    if HOP_BY_HOP >> field.id & 1:
        return plan.is_upgrade and (field.id == H_CONNECTION or field.id == H_UPGRADE)
    if field.id == H_CONTENT_LENGTH:
        return not plan.is_upgrade
    if field.id == H_EXPECT:
        return plan.keeps_expect or not equals(field.value, b"100-continue")
    if field.id == H_TE:
        return has_token(field.value, b"trailers")
    if head.tokens & TOKEN_OTHER and not plan.is_upgrade:
        return not is_named_by_connection(head, field)
    return True


cdef void write_request(Writer *writer, Head *head, RequestHead *plan) noexcept nogil:
    """The head of the upstream's request. Upgrades keep Connection and Upgrade word for word, without framing."""
    cdef Field *field
    cdef int i
    put_slice(writer, head.method)
    put(writer, b" ", 1)
    put_slice(writer, plan.path)
    put(writer, b" HTTP/1.1\r\nhost: ", 17)
    put_slice(writer, plan.authority)
    put(writer, b"\r\n", 2)
    for i in range(head.count):
        field = &head.fields[i]
        if field.id == 0:
            if head.tokens & TOKEN_OTHER and i < head.received and not forwards_request_field(head, field, plan):
                continue
            if field.name.length:
                put_field(writer, field.name, field.value)
        elif field.id == H_HOST:
            continue
        elif not forwards_request_field(head, field, plan):
            continue
        elif field.id == H_TE:
            put(writer, b"te: trailers\r\n", 14)
        elif head.repeated >> field.id & 1 and goes_out_joined(field.id):
            if head.first[field.id] == i:
                put_joined(writer, head, i)
        else:
            put_field(writer, field.name, field.value)
    add_request_fields(writer, head, plan)
    put(writer, b"\r\n", 2)


cdef inline void put_named(Writer *writer, const char *name, size_t length, Slice value) noexcept nogil:
    if value.length:
        put(writer, name, length)
        put_slice(writer, value)
        put(writer, b"\r\n", 2)


cdef void add_request_fields(Writer *writer, Head *head, RequestHead *plan) noexcept nogil:
    """What the proxy says about the request, behind the received fields."""
    put_named(writer, b"x-envoy-original-path: ", 23, plan.original_path)
    if plan.attempt_count:
        put(writer, b"x-envoy-attempt-count: ", 23)
        put_number(writer, plan.attempt_count)
        put(writer, b"\r\n", 2)
    if plan.timeout_ms:
        put(writer, b"x-envoy-expected-rq-timeout-ms: ", 32)
        put_number(writer, plan.timeout_ms)
        put(writer, b"\r\n", 2)
    if plan.is_chunked:
        put(writer, b"transfer-encoding: chunked\r\n", 28)
    elif plan.needs_length:
        put(writer, b"content-length: 0\r\n", 19)


cdef inline void put_status_line(Writer *writer, int minor_version, int status) noexcept nogil:
    put(writer, b"HTTP/1.1" if minor_version else b"HTTP/1.0", 8)
    put(writer, STATUS_TEXT[status], STATUS_LENGTH[status])


cdef void put_service_time(Writer *writer, int64_t service_time_ms) noexcept nogil:
    put(writer, b"x-envoy-upstream-service-time: ", 31)
    put_number(writer, service_time_ms)
    put(writer, b"\r\n", 2)


cdef void write_interim(Writer *writer, Head *head, bint proper_case) noexcept nogil:
    """The head of a 1xx that the upstream has sent, without what is said of a body (RFC 9110 section 8.6)."""
    cdef Field *field
    cdef int i
    writer.at = writer.start
    writer.overflow = False
    put_status_line(writer, 1, head.status)
    for i in range(head.count):
        field = &head.fields[i]
        if field.name.length and field.id != H_CONTENT_LENGTH and not HOP_BY_HOP >> field.id & 1:
            put_field(writer, field.name, field.value)
    put(writer, b"\r\n", 2)
    if proper_case:
        spell_properly(writer.start, writer.at)


cdef void write_response(Writer *writer, Head *head, ResponseHead *plan) noexcept nogil:
    """The head of the downstream's response."""
    cdef Field *field
    cdef int i
    put_status_line(writer, plan.minor_version, head.status)
    for i in range(head.count):
        field = &head.fields[i]
        if field.id == 0:
            if field.name.length:
                put_field(writer, field.name, field.value)
        elif HOP_BY_HOP >> field.id & 1:
            if plan.is_upgrade and (field.id == H_CONNECTION or field.id == H_UPGRADE):
                put_field(writer, field.name, field.value)
        elif field.id == H_SERVER and not plan.keeps_server:
            if head.first[<int> H_SERVER] == i:
                put_named(writer, b"server: ", 8, plan.server_name)
        elif field.id == H_VIA and plan.via.length:
            if head.first[<int> H_VIA] == i:
                put_via(writer, head, i, plan.via)
        elif field.id == H_X_REQUEST_ID and plan.request_id.length:
            if head.first[<int> H_X_REQUEST_ID] == i:
                put_named(writer, b"x-request-id: ", 14, plan.request_id)
        elif field.id == H_X_ENVOY_UPSTREAM_SERVICE_TIME and plan.service_time_ms >= 0:
            if head.first[<int> H_X_ENVOY_UPSTREAM_SERVICE_TIME] == i:
                put_service_time(writer, plan.service_time_ms)
        elif field.id == H_CONTENT_LENGTH and (plan.is_upgrade or plan.is_chunked or head.status == 204):
            continue
        elif head.repeated >> field.id & 1 and goes_out_joined(field.id):
            if head.first[field.id] == i:
                put_joined(writer, head, i)
        else:
            put_field(writer, field.name, field.value)
    if plan.service_time_ms >= 0 and not head.seen >> <int> H_X_ENVOY_UPSTREAM_SERVICE_TIME & 1:
        put_service_time(writer, plan.service_time_ms)
    finish_response(writer, plan, head.seen)
    put(writer, b"\r\n", 2)
    if plan.proper_case:
        spell_properly(writer.start, writer.at)


cdef void put_via(Writer *writer, Head *head, int first, Slice via) noexcept nogil:
    """What the upstream has said, and behind it the proxy."""
    cdef char *start = writer.at
    put_joined(writer, head, first)
    if writer.overflow:
        return
    writer.at -= 2
    if writer.at - start > 5:
        put(writer, b", ", 2)
    put_slice(writer, via)
    put(writer, b"\r\n", 2)


cdef void finish_response(Writer *writer, ResponseHead *plan, uint64_t seen) noexcept nogil:
    """What the proxy says about the response where the upstream has not (`seen`: its fields by their ids)."""
    if not seen >> <int> H_DATE & 1:
        put_named(writer, b"date: ", 6, plan.date)
    if not seen >> <int> H_SERVER & 1:
        put_named(writer, b"server: ", 8, plan.server_name)
    if not seen >> <int> H_VIA & 1:
        put_named(writer, b"via: ", 5, plan.via)
    if not seen >> <int> H_X_REQUEST_ID & 1:
        put_named(writer, b"x-request-id: ", 14, plan.request_id)
    if plan.close:
        put(writer, b"connection: close\r\n", 19)
    elif plan.keep_alive:
        put(writer, b"connection: keep-alive\r\n", 24)
    if plan.is_chunked:
        put(writer, b"transfer-encoding: chunked\r\n", 28)

# end hot


cdef void write_local_reply(
    Writer *writer, Head *head, size_t body_bytes, Slice content_type, ResponseHead *plan, bint is_head
) noexcept nogil:
    """The head of a response of the proxy's own as Envoy words it: the fields of `head`, then what the body needs.

    The content type is said where the fields have none.
    """
    cdef bint may_have_body = head.status != 204 and head.status != 304
    cdef int i
    put_status_line(writer, plan.minor_version, head.status)
    for i in range(head.count):
        if head.fields[i].name.length:
            put_field(writer, head.fields[i].name, head.fields[i].value)
    if body_bytes:
        put(writer, b"content-length: ", 16)
        put_number(writer, body_bytes)
        put(writer, b"\r\n", 2)
        if not head.seen >> <int> H_CONTENT_TYPE & 1:
            put_named(writer, b"content-type: ", 14, content_type)
    plan.is_chunked = is_head and body_bytes == 0 and plan.minor_version == 1 and may_have_body
    finish_response(writer, plan, head.seen)
    if body_bytes == 0 and not plan.is_chunked and may_have_body:
        put(writer, b"content-length: 0\r\n", 19)
    put(writer, b"\r\n", 2)
    if plan.proper_case:
        spell_properly(writer.start, writer.at)
