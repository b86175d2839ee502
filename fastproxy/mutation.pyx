"""What the connection manager changes in a request's head before it is routed, hashed and logged.

Follows Envoy's ConnectionManagerUtility: forwarding headers, request id, user agent, and the removal of what a client
may not say. The head's fields are changed in place, so that route, hash, log and upstream all see the same.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy

from fastproxy.addresses cimport format_ip
from fastproxy.head_fields cimport add_field, remove_field, set_field
from fastproxy.http1 cimport (
    H_OTHER, H_USER_AGENT, H_X_ENVOY, H_X_FORWARDED_FOR, H_X_FORWARDED_PROTO, H_X_REQUEST_ID,
)
from fastproxy.slices cimport Field

# What a request from outside must not decide (Envoy: headers sanitised from external requests).
cdef list INTERNAL = [
    b"x-envoy-internal", b"x-envoy-retry-on", b"x-envoy-retry-grpc-on", b"x-envoy-max-retries",
    b"x-envoy-upstream-rq-timeout-ms", b"x-envoy-upstream-rq-per-try-timeout-ms",
    b"x-envoy-upstream-rq-timeout-alt-response", b"x-envoy-expected-rq-timeout-ms", b"x-envoy-upstream-alt-stat-name",
    b"x-envoy-force-trace", b"x-envoy-ip-tags",
    b"x-envoy-hedge-on-per-try-timeout", b"x-envoy-upstream-stream-duration-ms", b"x-envoy-is-timeout-retry",
    b"x-envoy-attempt-count", b"x-envoy-retriable-status-codes", b"x-envoy-retriable-header-names",
]
cdef list EDGE_ONLY = [
    b"x-envoy-decorator-operation", b"x-envoy-downstream-service-cluster", b"x-envoy-downstream-service-node",
    b"x-envoy-external-address", b"x-envoy-original-path", b"x-envoy-original-host",
]
cdef const char *INTERNAL_NAMES[32]
cdef size_t INTERNAL_LENGTHS[32]
cdef int INTERNAL_COUNT = len(INTERNAL)
cdef int INTERNAL_AND_EDGE_COUNT = len(INTERNAL) + len(EDGE_ONLY)


cdef void fill_tables():
    for i, name in enumerate(INTERNAL + EDGE_ONLY):
        INTERNAL_NAMES[<int> i] = name
        INTERNAL_LENGTHS[<int> i] = len(name)


fill_tables()


cdef inline Slice slice_of(bytes text):
    cdef Slice slice
    slice.data = text
    slice.length = len(text)
    return slice


cdef class Mutation:
    """Changes heads; the values that it writes live until the next request."""

    def __init__(self, Stamps stamps, size_t max_head_bytes):
        self.stamps = stamps
        self.size = max_head_bytes + 256
        self.text = <char *> malloc(self.size)
        if self.text == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.text)

    cdef bint apply(self, Head *head, Manager manager, PeerAddress *client) noexcept:
        """Change the head as `manager` is told to; False when it cannot be (it would not fit)."""
        cdef bint is_edge = manager.use_remote_address
        cdef Slice ip, proto, address
        self.used = 0
        if head.seen >> <int> H_X_ENVOY & 1:
            sanitize(head, is_edge)
        proto.data = b"http"
        proto.length = 4
        if is_edge:
            address.data = self.client_ip
            address.length = format_ip(client, self.client_ip, sizeof(self.client_ip))
            if not manager.skip_xff_append and client.family:
                ip = slice_of(self.stamps.local_ip) if is_loopback(client) else address
                if not self.forward_for(head, ip):
                    return False
            set_field(head, b"x-forwarded-proto", H_X_FORWARDED_PROTO, proto)
            if client.family:
                add_field(head, b"x-envoy-external-address", H_OTHER, address)
        elif not head.seen >> <int> H_X_FORWARDED_PROTO & 1:
            add_field(head, b"x-forwarded-proto", H_X_FORWARDED_PROTO, proto)
        if manager.add_user_agent:
            name_the_service(head, manager)
        if manager.generate_request_id and (is_edge or not head.seen >> <int> H_X_REQUEST_ID & 1):
            set_field(head, b"x-request-id", H_X_REQUEST_ID, self.stamps.request_id())
        return True

    # hot

    cdef bint forward_for(self, Head *head, Slice client_ip) noexcept nogil:
        """Append the client to x-forwarded-for, all lines of it as one."""
        cdef Slice value
        cdef Field *field
        cdef int i
        if not head.seen >> <int> H_X_FORWARDED_FOR & 1:
            add_field(head, b"x-forwarded-for", H_X_FORWARDED_FOR, client_ip)
            return True
        value.data = self.text
        for i in range(head.count):
            field = &head.fields[i]
            if field.id == H_X_FORWARDED_FOR and field.value.length:
                if self.used + field.value.length + 64 > self.size:
                    return False
                memcpy(self.text + self.used, field.value.data, field.value.length)
                self.used += field.value.length
                self.text[self.used] = c","
                self.used += 1
        memcpy(self.text + self.used, client_ip.data, client_ip.length)
        self.used += client_ip.length
        value.length = self.used
        set_field(head, b"x-forwarded-for", H_X_FORWARDED_FOR, value)
        return True


cdef bint is_loopback(const PeerAddress *client) noexcept nogil:
    """Whether the client is 127.0.0.1 or ::1; the rest of 127.0.0.0/8 counts as any address, as with Envoy."""
    cdef int i
    if client.family == 4:
        return client.ip[0] == 127 and client.ip[1] == 0 and client.ip[2] == 0 and client.ip[3] == 1
    for i in range(15):
        if client.ip[i]:
            return False
    return client.ip[15] == 1

# end hot


cdef void sanitize(Head *head, bint is_edge) noexcept nogil:
    """Remove the x-envoy- headers that only the proxy may set."""
    cdef Field *field
    cdef int i, k
    for i in range(head.count):
        field = &head.fields[i]
        if field.id != H_X_ENVOY:
            continue
        for k in range(INTERNAL_AND_EDGE_COUNT if is_edge else INTERNAL_COUNT):
            if (field.name.length == INTERNAL_LENGTHS[k]
                    and memcmp(field.name.data, INTERNAL_NAMES[k], field.name.length) == 0):
                remove_field(head, i)
                break


cdef void name_the_service(Head *head, Manager manager) noexcept:
    """add_user_agent: say which service asks, when we were told (--service-cluster, --service-node)."""
    if manager.service_cluster:
        if not head.seen >> <int> H_USER_AGENT & 1:
            add_field(head, b"user-agent", H_USER_AGENT, slice_of(manager.service_cluster))
        add_field(head, b"x-envoy-downstream-service-cluster", H_OTHER, slice_of(manager.service_cluster))
    if manager.service_node:
        add_field(head, b"x-envoy-downstream-service-node", H_OTHER, slice_of(manager.service_node))
