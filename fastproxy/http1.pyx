"""HTTP/1.1 heads as slices of a buffer (RFC 9112).

Two readers must agree on a head before it counts. httptools (llhttp, strict) says whether the bytes are HTTP/1.1 at
all; the scanner here then cuts the same bytes into slices without a Python object, and refuses what it does not
understand itself. Header names become lower case in place.
"""

from libc.string cimport memchr, memcmp, memset

from fastproxy.syscalls cimport strncasecmp


cdef enum:
    LENGTHS = 64  # longer names are not looked up

cdef unsigned char TOKEN[256]  # the lower-case form of a byte that a header name may hold, else 0 (RFC 9110 5.6.2)
cdef signed char HEX[256]
cdef bint IN_REASON[256]  # RFC 9112 section 4


cdef dict KNOWN = {
    b"te": H_TE, b"via": H_VIA, b"date": H_DATE, b"host": H_HOST, b"vary": H_VARY, b"accept": H_ACCEPT,
    b"expect": H_EXPECT, b"origin": H_ORIGIN, b"server": H_SERVER, b"referer": H_REFERER, b"upgrade": H_UPGRADE,
    b"connection": H_CONNECTION, b"keep-alive": H_KEEP_ALIVE, b"user-agent": H_USER_AGENT,
    b"content-type": H_CONTENT_TYPE, b"x-request-id": H_X_REQUEST_ID, b"authorization": H_AUTHORIZATION,
    b"cache-control": H_CACHE_CONTROL, b"content-length": H_CONTENT_LENGTH, b"accept-encoding": H_ACCEPT_ENCODING,
    b"x-forwarded-for": H_X_FORWARDED_FOR, b"content-encoding": H_CONTENT_ENCODING,
    b"proxy-connection": H_PROXY_CONNECTION, b"sec-websocket-key": H_SEC_WEBSOCKET_KEY,
    b"transfer-encoding": H_TRANSFER_ENCODING, b"x-client-trace-id": H_X_CLIENT_TRACE_ID,
    b"x-forwarded-proto": H_X_FORWARDED_PROTO, b"sec-websocket-accept": H_SEC_WEBSOCKET_ACCEPT,
    b"sec-websocket-version": H_SEC_WEBSOCKET_VERSION,
    b"x-forwarded-client-cert": H_X_FORWARDED_CLIENT_CERT,
    b"x-envoy-upstream-service-time": H_X_ENVOY_UPSTREAM_SERVICE_TIME,
}
cdef const char *KNOWN_NAME[64]
cdef HeaderId KNOWN_ID[64]
cdef int KNOWN_FROM[65]  # by length of the name; the next entry is the end


cdef int fill_tables() except -1:
    cdef int i
    memset(TOKEN, 0, sizeof(TOKEN))
    memset(HEX, -1, sizeof(HEX))
    for i in b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz":
        TOKEN[i] = i
    for i in range(26):
        TOKEN[65 + i] = 97 + i
    for i in range(10):
        HEX[48 + i] = i
    for i in range(256):
        IN_REASON[i] = i == 9 or (i >= 32 and i != 127)
    for i in range(6):
        HEX[65 + i] = HEX[97 + i] = 10 + i


cdef int fill_known() except -1:
    """Sort the well-known names by length, so that a name is compared with those of its own length only."""
    cdef int length, count = 0
    for length in range(LENGTHS):
        KNOWN_FROM[length] = count
        for name in KNOWN:
            if len(name) == length:
                KNOWN_NAME[count] = name
                KNOWN_ID[count] = KNOWN[name]
                count += 1
    KNOWN_FROM[LENGTHS] = count


fill_tables()
fill_known()


# hot

cdef HeaderId header_id(const char *name, size_t length) noexcept nogil:
    """Which well-known header a lower-case name is."""
    cdef int i
    if length >= LENGTHS:
        return H_OTHER
    for i in range(KNOWN_FROM[length], KNOWN_FROM[length + 1]):
        if memcmp(name, KNOWN_NAME[i], length) == 0:
            return KNOWN_ID[i]
    if length > 8 and memcmp(name, b"x-envoy-", 8) == 0:
        return H_X_ENVOY
    return H_OTHER


cdef const Slice *header(const Head *head, HeaderId id) noexcept nogil:
    """The value of the first field with that id; NULL when there is none."""
    if head.seen >> id & 1:
        return &head.fields[head.first[<int> id]].value
    return NULL


cdef Slice next_item(const char **at, const char *end) noexcept nogil:
    """The next element of a comma list, white space stripped; `at` moves behind its comma."""
    cdef Slice item
    cdef const char *start = at[0]
    cdef const char *stop = <const char *> memchr(start, c",", end - start)
    if stop == NULL:
        stop = end
        at[0] = end
    else:
        at[0] = stop + 1
    while start < stop and (start[0] == c" " or start[0] == c"\t"):
        start += 1
    while stop > start and ((stop - 1)[0] == c" " or (stop - 1)[0] == c"\t"):
        stop -= 1
    item.data = start
    item.length = stop - start
    return item


cdef bint has_token(Slice value, const char *lower) noexcept nogil:
    """Whether a comma list holds that word, in any case (RFC 9110 section 5.6.1)."""
    cdef const char *at = value.data
    cdef const char *end = value.data + value.length
    while at < end:
        if equals(next_item(&at, end), lower):
            return True
    return False


cdef int64_t keep_alive_timeout_s(const Head *head) noexcept nogil:
    """How long the sender keeps a connection without requests, from `Keep-Alive: timeout=5`; -1 when it does not say.

    RFC 2068 section 19.7.1.1 left the parameters open; Node sends this one with every answer.
    """
    cdef const Slice *value = header(head, H_KEEP_ALIVE)
    cdef const char *at
    cdef const char *end
    cdef Slice item
    cdef int64_t seconds
    if value == NULL:
        return -1
    at = value.data
    end = value.data + value.length
    while at < end:
        item = next_item(&at, end)
        if item.length > 8 and strncasecmp(item.data, b"timeout=", 8) == 0 \
                and parse_length(Slice(item.data + 8, item.length - 8), &seconds) == HEAD_OK:
            return seconds
    return -1


cdef int connection_tokens(Slice value) noexcept nogil:
    cdef const char *at = value.data
    cdef const char *end = value.data + value.length
    cdef Slice item
    cdef int tokens = 0
    while at < end:
        item = next_item(&at, end)
        if equals(item, b"close"):
            tokens |= TOKEN_CLOSE
        elif equals(item, b"keep-alive"):
            tokens |= TOKEN_KEEP_ALIVE
        elif equals(item, b"upgrade"):
            tokens |= TOKEN_UPGRADE
        elif item.length:
            tokens |= TOKEN_OTHER
    return tokens


cdef ssize_t head_length(const char *data, size_t length, size_t searched) noexcept nogil:
    """The length of the head up to and with its empty line, or -1 when it is not complete.

    `searched` bytes at the beginning are known not to hold the end.
    """
    cdef const char *at = data + (searched - 3 if searched > 3 else 0)
    cdef const char *end = data + length
    while end - at >= 4:
        # there is a CR every forty bytes or so: to go from one to the next costs a third of a memmem
        at = <const char *> memchr(at, c"\r", end - at - 3)
        if at == NULL:
            return -1
        if at[1] == c"\n" and at[2] == c"\r" and at[3] == c"\n":
            return at + 4 - data
        at += 1
    return -1


cdef HeadError parse_length(Slice value, int64_t *length) noexcept nogil:
    cdef size_t i
    cdef int64_t total = 0
    if value.length == 0 or value.length > 18:
        return HEAD_BAD
    for i in range(value.length):
        if not c"0" <= value.data[i] <= c"9":
            return HEAD_BAD
        total = total * 10 + (value.data[i] - 48)
    length[0] = total
    return HEAD_OK


cdef HeadError note_field(Head *head, Field *field, int index) noexcept nogil:
    """Remember a field that the proxy acts on; refuse the ones that would make the framing ambiguous."""
    cdef uint64_t bit = <uint64_t> 1 << field.id
    if head.seen & bit:
        head.repeated |= bit
    else:
        head.seen |= bit
        head.first[field.id] = index
    if field.id == H_CONTENT_LENGTH:
        if head.repeated & bit:
            return HEAD_BAD
        return parse_length(field.value, &head.content_length)
    if field.id == H_TRANSFER_ENCODING:
        if head.repeated & bit or not equals(field.value, b"chunked"):
            return HEAD_UNKNOWN_CODING
        head.is_chunked = True
    elif field.id == H_CONNECTION or field.id == H_PROXY_CONNECTION:
        head.tokens |= connection_tokens(field.value)
    return HEAD_OK


cdef HeadError parse_fields(Head *head, char *at, char *end, int max_fields) noexcept nogil:
    """Cut the lines between the first line and the empty line; `end` is behind the empty line."""
    cdef Field *field
    cdef char *line_end
    cdef char *name
    cdef unsigned char lower
    cdef HeadError error
    head.count = head.received = head.tokens = 0
    head.seen = head.repeated = 0
    head.is_chunked = False
    head.content_length = -1
    if max_fields > MAX_FIELDS:
        max_fields = MAX_FIELDS
    while at < end - 2:
        line_end = <char *> memchr(at, c"\r", end - at)
        if line_end == NULL or line_end[1] != c"\n":
            return HEAD_BAD
        if head.count == max_fields:
            return HEAD_TOO_MANY_FIELDS
        field = &head.fields[head.count]
        name = at
        while True:
            lower = TOKEN[<unsigned char> at[0]]
            if lower == 0:
                break
            at[0] = <char> lower
            at += 1
        if at[0] != c":" or at == name:
            return HEAD_BAD
        field.name.data = name
        field.name.length = at - name
        field.id = header_id(name, at - name)
        at += 1
        while at < line_end and (at[0] == c" " or at[0] == c"\t"):
            at += 1
        field.value.data = at
        at = line_end
        while at > field.value.data and ((at - 1)[0] == c" " or (at - 1)[0] == c"\t"):
            at -= 1
        field.value.length = at - field.value.data
        if field.id != H_OTHER:
            error = note_field(head, field, head.count)
            if error != HEAD_OK:
                return error
        head.count += 1
        at = line_end + 2
    head.received = head.count
    if head.is_chunked and head.content_length >= 0:
        return HEAD_BAD
    return HEAD_OK


cdef HeadError parse_request(Head *head, char *data, size_t length, int max_fields) noexcept nogil:
    """Cut a request head that ends with its empty line: method, target, version, fields. Empty lines before it are no
    part of it.

    Which bytes a target may have is llhttp's to say, but for LF: there it takes what came for HTTP/0.9, and goes on
    with the rest of the line as a field.
    """
    cdef char *line_end = <char *> memchr(data, c"\r", length)
    cdef char *method_end = data
    cdef char *target
    cdef char *version
    if line_end == NULL:
        return HEAD_BAD
    while TOKEN[<unsigned char> method_end[0]]:  # ends at the line's end at the latest
        method_end += 1
    if method_end == data or method_end[0] != c" ":
        return HEAD_BAD
    target = method_end + 1
    version = <char *> memchr(target, c" ", line_end - target)
    if version == NULL or version == target or line_end - version != 9 or memcmp(version, b" HTTP/", 6):
        return HEAD_BAD
    if memchr(target, c"\n", version - target) != NULL:
        return HEAD_BAD
    if HEX[<unsigned char> version[6]] < 0 or version[7] != c"." or HEX[<unsigned char> version[8]] < 0:
        return HEAD_BAD
    if version[6] != c"1" or not (version[8] == c"0" or version[8] == c"1"):
        return HEAD_VERSION
    head.method.data = data
    head.method.length = method_end - data
    head.target.data = target
    head.target.length = version - target
    head.minor_version = version[8] - 48
    head.status = 0
    return parse_fields(head, line_end + 2, data + length, max_fields)


cdef HeadError parse_response(Head *head, char *data, size_t length, int max_fields) noexcept nogil:
    """Cut a response head that ends with its empty line: version, status, fields. The reason is not kept."""
    cdef char *line_end = <char *> memchr(data, c"\r", length)
    cdef int i
    if line_end == NULL or line_end - data < 12 or memcmp(data, b"HTTP/1.", 7) or data[8] != c" ":
        return HEAD_BAD
    if not (data[7] == c"0" or data[7] == c"1"):
        return HEAD_VERSION
    if line_end - data > 12 and data[12] != c" ":
        return HEAD_BAD
    for i in range(13, <int> (line_end - data)):
        if not IN_REASON[<unsigned char> data[i]]:
            return HEAD_BAD
    head.status = 0
    for i in range(9, 12):
        if not c"0" <= data[i] <= c"9":
            return HEAD_BAD
        head.status = head.status * 10 + (data[i] - 48)
    if head.status < 100:
        return HEAD_BAD
    head.minor_version = data[7] - 48
    return parse_fields(head, line_end + 2, data + length, max_fields)

# end hot
