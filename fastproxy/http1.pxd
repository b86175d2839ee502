"""HTTP/1.1 messages as slices of a buffer: heads, and how long the body behind them is (RFC 9112)."""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport strlen

from fastproxy.slices cimport Field, Slice
from fastproxy.syscalls cimport strncasecmp

cdef enum:
    MAX_FIELDS = 512  # of a received head; a manager's max_headers_count may be lower
    SPARE_FIELDS = 288  # for those that the proxy adds: its own, and those of the header rules of four levels

# the headers that the proxy itself acts on; every other one has id 0
cdef enum HeaderId:
    H_OTHER
    H_HOST
    H_CONNECTION
    H_UPGRADE
    H_KEEP_ALIVE
    H_PROXY_CONNECTION
    H_TRANSFER_ENCODING
    H_CONTENT_LENGTH
    H_TE
    H_EXPECT
    H_REFERER
    H_USER_AGENT
    H_X_FORWARDED_FOR
    H_X_FORWARDED_PROTO
    H_X_REQUEST_ID
    H_X_ENVOY
    H_SERVER
    H_DATE
    H_X_ENVOY_UPSTREAM_SERVICE_TIME
    H_SEC_WEBSOCKET_KEY
    H_SEC_WEBSOCKET_VERSION
    H_SEC_WEBSOCKET_ACCEPT
    H_CONTENT_ENCODING
    H_CONTENT_TYPE
    H_X_FORWARDED_CLIENT_CERT
    # from here on: headers of which the proxy only knows that repeated lines are joined by a comma
    H_ACCEPT
    H_ACCEPT_ENCODING
    H_AUTHORIZATION
    H_CACHE_CONTROL
    H_ORIGIN
    H_VIA
    H_VARY
    H_X_CLIENT_TRACE_ID
    HEADER_IDS

cdef enum HeadError:
    HEAD_OK
    HEAD_BAD  # not HTTP: 400, or 502 from upstream
    HEAD_TOO_MANY_FIELDS  # 431
    HEAD_UNKNOWN_CODING  # a transfer coding other than chunked: 501
    HEAD_VERSION  # not HTTP/1.0 or HTTP/1.1: 426

cdef enum ConnectionToken:
    TOKEN_CLOSE = 1
    TOKEN_KEEP_ALIVE = 2
    TOKEN_UPGRADE = 4
    TOKEN_OTHER = 8  # names a header to be removed

cdef struct Head:
    Slice method
    Slice target
    int minor_version
    int status
    int count
    int received  # of the fields; behind them stands what the proxy has added
    int tokens  # ConnectionToken bits
    bint is_chunked
    int64_t content_length  # -1: none
    uint64_t seen  # bit 1 << HeaderId
    uint64_t repeated
    int first[40]  # index of the first field of an id, where seen
    Field fields[800]  # MAX_FIELDS + SPARE_FIELDS


cdef ssize_t head_length(const char *data, size_t length, size_t searched) noexcept nogil
cdef HeadError parse_request(Head *head, char *data, size_t length, int max_fields) noexcept nogil
cdef HeadError parse_response(Head *head, char *data, size_t length, int max_fields) noexcept nogil
cdef HeaderId header_id(const char *name, size_t length) noexcept nogil
cdef const Slice *header(const Head *head, HeaderId id) noexcept nogil
cdef bint has_token(Slice value, const char *lower) noexcept nogil
cdef int64_t keep_alive_timeout_s(const Head *head) noexcept nogil


cdef inline bint equals(Slice value, const char *lower) noexcept nogil:
    """Whether the value is that word, in any case. The length of a literal is known when this is compiled."""
    return value.length == strlen(lower) and strncasecmp(value.data, lower, value.length) == 0


cdef inline uint64_t bit(int id) noexcept nogil:
    return <uint64_t> 1 << id


cdef inline bint is_joined(int id) noexcept nogil:
    """Whether Envoy keeps repeated lines of a request's header as one, joined by commas (its inline headers).

    Matchers, hashes and logs see it so. There are more when a head is written (heads.pyx): `vary`, which Envoy keeps as
    one in responses only, and the two of a handshake, which are not the request's own and of no use to the others.
    """
    return (
        bit(H_ACCEPT) | bit(H_ACCEPT_ENCODING) | bit(H_AUTHORIZATION) | bit(H_CACHE_CONTROL) | bit(H_CONTENT_TYPE)
        | bit(H_ORIGIN) | bit(H_REFERER) | bit(H_USER_AGENT) | bit(H_VIA) | bit(H_X_CLIENT_TRACE_ID)
        | bit(H_X_FORWARDED_FOR) | bit(H_X_FORWARDED_PROTO) | bit(H_X_REQUEST_ID)
    ) >> id & 1
