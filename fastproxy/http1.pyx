"""HTTP/1.1 messages as slices of a buffer: heads, and how long the body behind them is (RFC 9112).

Two readers must agree on a head before it counts. httptools (llhttp, strict) says whether the bytes are HTTP/1.1 at
all; the scanner here then cuts the same bytes into slices without a Python object, and refuses what it does not
understand itself. Header names become lower case in place. Bodies never become Python objects.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from libc.string cimport memchr, memcmp, memcpy, memmove, memset, strlen

import httptools

from fastproxy.syscalls cimport memmem, strncasecmp

cdef enum ChunkState:
    CHUNK_SIZE
    CHUNK_SIZE_NEXT
    CHUNK_SIZE_SPACE
    CHUNK_EXTENSION
    CHUNK_SIZE_LF
    CHUNK_DATA
    CHUNK_DATA_CR
    CHUNK_DATA_LF
    TRAILER_START
    TRAILER_LINE
    TRAILER_LF
    TRAILER_END_LF

cdef enum:
    MAX_CHUNK_OVERHEAD = 65536  # bytes of chunk extensions and trailers in one message
    BAD_BODY = -1

cdef unsigned char TOKEN[256]  # the lower-case form of a byte that a header name may hold, else 0 (RFC 9110 5.6.2)
cdef signed char HEX[256]


cdef void fill_tables():
    cdef int i
    memset(TOKEN, 0, sizeof(TOKEN))
    memset(HEX, -1, sizeof(HEX))
    for i in b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz":
        TOKEN[i] = i
    for i in range(26):
        TOKEN[65 + i] = 97 + i
    for i in range(10):
        HEX[48 + i] = i
    for i in range(6):
        HEX[65 + i] = HEX[97 + i] = 10 + i


fill_tables()


# hot

cdef inline bint same(const char *name, size_t length, const char *known) noexcept nogil:
    return memcmp(name, known, length) == 0


cdef HeaderId header_id(const char *n, size_t length) noexcept nogil:
    """Which well-known header a lower-case name is."""
    if length == 2 and same(n, 2, b"te"): return H_TE
    if length == 3 and same(n, 3, b"via"): return H_VIA
    if length == 4:
        if same(n, 4, b"host"): return H_HOST
        if same(n, 4, b"date"): return H_DATE
        if same(n, 4, b"vary"): return H_VARY
    elif length == 6:
        if same(n, 6, b"accept"): return H_ACCEPT
        if same(n, 6, b"origin"): return H_ORIGIN
        if same(n, 6, b"expect"): return H_EXPECT
        if same(n, 6, b"server"): return H_SERVER
    elif length == 7:
        if same(n, 7, b"referer"): return H_REFERER
        if same(n, 7, b"upgrade"): return H_UPGRADE
    elif length == 10:
        if same(n, 10, b"connection"): return H_CONNECTION
        if same(n, 10, b"user-agent"): return H_USER_AGENT
        if same(n, 10, b"keep-alive"): return H_KEEP_ALIVE
    elif length == 12:
        if same(n, 12, b"content-type"): return H_CONTENT_TYPE
        if same(n, 12, b"x-request-id"): return H_X_REQUEST_ID
    elif length == 13:
        if same(n, 13, b"cache-control"): return H_CACHE_CONTROL
        if same(n, 13, b"authorization"): return H_AUTHORIZATION
    elif length == 14:
        if same(n, 14, b"content-length"): return H_CONTENT_LENGTH
    elif length == 15:
        if same(n, 15, b"accept-encoding"): return H_ACCEPT_ENCODING
        if same(n, 15, b"x-forwarded-for"): return H_X_FORWARDED_FOR
    elif length == 16:
        if same(n, 16, b"content-encoding"): return H_CONTENT_ENCODING
        if same(n, 16, b"proxy-connection"): return H_PROXY_CONNECTION
    elif length == 17:
        if same(n, 17, b"transfer-encoding"): return H_TRANSFER_ENCODING
        if same(n, 17, b"x-forwarded-proto"): return H_X_FORWARDED_PROTO
        if same(n, 17, b"sec-websocket-key"): return H_SEC_WEBSOCKET_KEY
        if same(n, 17, b"x-client-trace-id"): return H_X_CLIENT_TRACE_ID
    elif length == 20:
        if same(n, 20, b"sec-websocket-accept"): return H_SEC_WEBSOCKET_ACCEPT
    elif length == 21:
        if same(n, 21, b"sec-websocket-version"): return H_SEC_WEBSOCKET_VERSION
    elif length == 29:
        if same(n, 29, b"x-envoy-upstream-service-time"): return H_X_ENVOY_UPSTREAM_SERVICE_TIME
    if length > 8 and same(n, 8, b"x-envoy-"): return H_X_ENVOY
    return H_OTHER


cdef const Slice *header(const Head *head, HeaderId id) noexcept nogil:
    """The value of the first field with that id; NULL when there is none."""
    if head.seen >> id & 1:
        return &head.fields[head.first[<int> id]].value
    return NULL


cdef bint equals(Slice value, const char *lower) noexcept nogil:
    """Whether the value is that word, in any case."""
    return value.length == strlen(lower) and strncasecmp(value.data, lower, value.length) == 0


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
    cdef size_t start = searched - 3 if searched > 3 else 0
    cdef const char *end = <const char *> memmem(data + start, length - start, b"\r\n\r\n", 4)
    return end + 4 - data if end != NULL else -1


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
    head.count = head.tokens = 0
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
    if head.is_chunked and head.content_length >= 0:
        return HEAD_BAD
    return HEAD_OK


cdef HeadError parse_request(Head *head, char *data, size_t length, int max_fields) noexcept nogil:
    """Cut a request head that ends with its empty line: method, target, version, fields."""
    cdef char *line_end = <char *> memchr(data, c"\r", length)
    cdef char *target
    cdef char *version
    if line_end == NULL:
        return HEAD_BAD
    target = <char *> memchr(data, c" ", line_end - data)
    if target == NULL:
        return HEAD_BAD
    target += 1
    version = <char *> memchr(target, c" ", line_end - target)
    if version == NULL or version == target or line_end - version != 9 or memcmp(version, b" HTTP/", 6):
        return HEAD_BAD
    if HEX[<unsigned char> version[6]] < 0 or version[7] != c"." or HEX[<unsigned char> version[8]] < 0:
        return HEAD_BAD
    if version[6] != c"1" or not (version[8] == c"0" or version[8] == c"1"):
        return HEAD_VERSION
    head.method.data = data
    head.method.length = target - 1 - data
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
    head.status = 0
    for i in range(9, 12):
        if not c"0" <= data[i] <= c"9":
            return HEAD_BAD
        head.status = head.status * 10 + (data[i] - 48)
    if head.status < 100:
        return HEAD_BAD
    head.minor_version = data[7] - 48
    return parse_fields(head, line_end + 2, data + length, max_fields)


cdef void body_init(Body *body, Framing framing, uint64_t length) noexcept nogil:
    """A body of that framing; `length` counts for FRAMING_LENGTH."""
    body.framing = framing
    body.state = CHUNK_SIZE
    body.left = length if framing == FRAMING_LENGTH else 0
    body.overhead = 0
    body.done = framing == FRAMING_NONE or (framing == FRAMING_LENGTH and length == 0)


cdef ssize_t body_take(Body *body, char *data, size_t length, size_t *payload) noexcept nogil:
    """Take the body's part of `data`: how many bytes belong to it, or BAD_BODY.

    The payload, without chunk sizes, stands at the beginning of `data` afterwards, `payload` bytes long.
    `body.done` tells when the body has ended; what follows belongs to the next message.
    """
    if body.framing == FRAMING_CHUNKED:
        return take_chunks(body, data, length, payload)
    if body.framing == FRAMING_LENGTH:
        if length > body.left:
            length = body.left
        body.left -= length
        body.done = body.left == 0
    elif body.framing == FRAMING_NONE:
        length = 0
    payload[0] = length
    return length


cdef ssize_t take_chunks(Body *body, char *data, size_t length, size_t *payload) noexcept nogil:
    """The chunk scanner (RFC 9112 section 7.1). Line ends are CRLF; extensions and trailers are dropped, and bounded."""
    cdef char *at = data
    cdef char *end = data + length
    cdef char *target = data
    cdef size_t size
    cdef int digit
    payload[0] = 0
    while at < end:
        if body.state == CHUNK_DATA:
            size = end - at
            if size > body.left:
                size = body.left
            if target != at:
                memmove(target, at, size)
            target += size
            at += size
            body.left -= size
            if body.left == 0:
                body.state = CHUNK_DATA_CR
            continue
        digit = scan_chunk_byte(body, at[0])
        if digit < 0:
            return BAD_BODY
        at += 1
        if body.done:
            break
    payload[0] = target - data
    return at - data


cdef int scan_chunk_byte(Body *body, char byte) noexcept nogil:
    """One byte outside of a chunk's data; BAD_BODY when it may not stand there."""
    cdef int digit
    if body.state <= CHUNK_SIZE_SPACE:
        digit = HEX[<unsigned char> byte]
        if digit >= 0 and body.state != CHUNK_SIZE_SPACE:
            if body.left >> 56:
                return BAD_BODY
            body.left = body.left << 4 | digit
            body.state = CHUNK_SIZE_NEXT
            return 0
        if body.state == CHUNK_SIZE:
            return BAD_BODY
        if byte == c"\r":
            body.state = CHUNK_SIZE_LF
        elif byte == c";":
            body.state = CHUNK_EXTENSION
        elif byte == c" " or byte == c"\t":
            body.state = CHUNK_SIZE_SPACE
        else:
            return BAD_BODY
        return 0
    if body.state == CHUNK_EXTENSION or body.state == TRAILER_LINE:
        body.overhead += 1
        if body.overhead > MAX_CHUNK_OVERHEAD or byte == c"\n" or byte == 0:
            return BAD_BODY
        if byte == c"\r":
            body.state = CHUNK_SIZE_LF if body.state == CHUNK_EXTENSION else TRAILER_LF
        return 0
    if body.state == CHUNK_DATA_CR:
        body.state = CHUNK_DATA_LF
        return 0 if byte == c"\r" else BAD_BODY
    if body.state == TRAILER_START:
        body.state = TRAILER_END_LF if byte == c"\r" else TRAILER_LINE
        return 0 if byte == c"\r" or TOKEN[<unsigned char> byte] else BAD_BODY
    if byte != c"\n":
        return BAD_BODY
    if body.state == CHUNK_SIZE_LF:
        body.state = CHUNK_DATA if body.left else TRAILER_START
    elif body.state == CHUNK_DATA_LF:
        body.state = CHUNK_SIZE
    elif body.state == TRAILER_LF:
        body.state = TRAILER_START
    else:
        body.done = True
    return 0

# end hot


class Silent:
    """A parser's protocol without callbacks: llhttp checks, and nothing is made of what it reads."""

    __slots__ = ()


cdef class HeadGuard:
    """Puts every head before httptools, whose strict llhttp decides what HTTP/1.1 is.

    httptools is fed through the buffer protocol of this object, which shows it the bytes where they lie.
    """

    def __cinit__(self):
        self.request_type = httptools.HttpRequestParser
        self.response_type = httptools.HttpResponseParser
        self.upgrade_error = httptools.HttpParserUpgrade
        self.parser_error = httptools.HttpParserError
        self.silent = Silent()

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.length, 1, flags)

    cdef bint admit_request(self, const char *data, size_t length, bint ends_message):
        """Whether `data`, one whole head, is a request. A parser that saw its message end is used again."""
        if self.request_parser is None:
            self.request_parser = self.request_type(self.silent)
        if self.admit_part(self.request_parser, data, length):
            if not ends_message:
                self.request_parser = None
            return True
        self.request_parser = None
        return False

    cdef bint admit_response(self, const char *data, size_t length, bint ends_message):
        """Whether `data`, a head and, when `ends_message`, all of its body, is a response."""
        if self.response_parser is None:
            self.response_parser = self.response_type(self.silent)
        if self.admit_part(self.response_parser, data, length):
            if not ends_message:
                self.response_parser = None
            return True
        self.response_parser = None
        return False

    cdef object begin(self, bint is_request):
        """A parser for a head that comes in parts."""
        return self.request_type(self.silent) if is_request else self.response_type(self.silent)

    cdef bint admit_part(self, object parser, const char *data, size_t length):
        """Feed the next part of a head; False when it cannot become one any more."""
        self.data = <char *> data
        self.length = length
        try:
            parser.feed_data(self)
        except self.upgrade_error:
            pass
        except self.parser_error:
            return False
        return True
