"""The bodies of the answers that the proxy gives by itself, in Envoy's words."""

cdef bytes RESET_PREFIX
cdef bytes RETRIED_PREFIX
cdef bytes CONNECT_FAILURE
cdef bytes CONNECT_TIMEOUT
cdef bytes TERMINATION
cdef bytes PROTOCOL_ERROR
cdef bytes OVERFLOW
cdef bytes NO_HEALTHY_UPSTREAM
cdef bytes UPSTREAM_TIMEOUT
cdef bytes STREAM_TIMEOUT
cdef bytes HEADER_TIMEOUT
cdef bytes REQUEST_TIMEOUT
cdef bytes DURATION_TIMEOUT
cdef bytes BAD_REQUEST
cdef bytes INTERNAL_SERVER_ERROR
cdef bytes PAYLOAD_TOO_LARGE
cdef bytes RATE_LIMITED
cdef bytes ORIGIN_REFUSED
cdef bytes TOO_MANY_SESSIONS
cdef bytes TOO_MANY_TUNNELS
cdef bytes URI_TOO_LONG
cdef bytes OVERLOADED
cdef bytes NO_BODY
