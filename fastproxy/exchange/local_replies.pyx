"""The bodies of the answers that the proxy gives by itself, in Envoy's words."""

RESET_PREFIX = b"upstream connect error or disconnect/reset before headers. reset reason: "
RETRIED_PREFIX = (
    b"upstream connect error or disconnect/reset before headers. retried and the latest reset reason: ")
CONNECT_FAILURE = RESET_PREFIX + b"remote connection failure"
CONNECT_TIMEOUT = RESET_PREFIX + b"connection timeout"
TERMINATION = RESET_PREFIX + b"connection termination"
PROTOCOL_ERROR = RESET_PREFIX + b"protocol error"
OVERFLOW = RESET_PREFIX + b"overflow"
NO_HEALTHY_UPSTREAM = b"no healthy upstream"
UPSTREAM_TIMEOUT = b"upstream request timeout"
STREAM_TIMEOUT = b"stream timeout"
HEADER_TIMEOUT = b"request header timeout"
REQUEST_TIMEOUT = b"request timeout"
DURATION_TIMEOUT = b"downstream duration timeout"
BAD_REQUEST = b"Bad Request"
PAYLOAD_TOO_LARGE = b"Payload Too Large"
RATE_LIMITED = b"local_rate_limited"
ORIGIN_REFUSED = b"origin not allowed"  # Envoy knows no such answer
TOO_MANY_SESSIONS = b"too many new sessions"
TOO_MANY_TUNNELS = b"too many tunnels"
URI_TOO_LONG = b"URI Too Long"
NO_BODY = b""
