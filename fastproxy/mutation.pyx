"""What the connection manager changes in a request's head before it is routed, hashed and logged.

Follows Envoy's ConnectionManagerUtility: forwarding headers, request id, user agent, and the removal of what a client
may not say. The head's fields are changed in place, so that route, hash, log and upstream all see the same.
"""

from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy

from fastproxy.addresses cimport format_ip, read_local_address
from fastproxy.head_fields cimport add_field, has_field, remove_field, remove_fields, set_field
from fastproxy.head_spelling cimport respell
from fastproxy.http1 cimport (
    H_OTHER, H_USER_AGENT, H_VIA, H_X_ENVOY, H_X_FORWARDED_CLIENT_CERT, H_X_FORWARDED_FOR, H_X_FORWARDED_PROTO,
    H_X_REQUEST_ID,
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
cdef frozenset RETRIES = frozenset([
    b"x-envoy-retry-on", b"x-envoy-retry-grpc-on", b"x-envoy-max-retries", b"x-envoy-upstream-rq-per-try-timeout-ms",
    b"x-envoy-retriable-status-codes", b"x-envoy-retriable-header-names",
])
cdef const char *INTERNAL_NAMES[32]
cdef size_t INTERNAL_LENGTHS[32]
cdef Slice CLIENT_CERT = Slice(b"x-forwarded-client-cert", 23)
cdef Slice FORWARDED_PORT = Slice(b"x-forwarded-port", 16)
cdef int INTERNAL_COUNT = len(INTERNAL)
cdef int INTERNAL_AND_EDGE_COUNT = len(INTERNAL) + len(EDGE_ONLY)


cdef int fill_tables() except -1:
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
        self.room.size = 2 * max_head_bytes + 65536
        self.room.text = <char *> malloc(self.room.size)
        if self.room.text == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.room.text)
        free(self.spelled)

    cdef void keep_spelling(self, const char *data, size_t length) noexcept nogil:
        """Keep the names of a head as they are spelt, before it is parsed. It is no longer than the limit."""
        self.lowered = data
        if self.spelled == NULL:
            self.spelled = <char *> malloc(self.room.size)
        if self.spelled != NULL:
            memcpy(self.spelled, data, length)

    cdef void write_spelling(self, Writer *writer, const Head *head) noexcept nogil:
        if self.spelled != NULL:
            respell(writer.start, writer.at, head, self.lowered, self.spelled)

    cdef bint apply(
        self, Head *head, Manager manager, const PeerAddress *peer, PeerAddress *client, int fd
    ) noexcept:
        """Change the head as `manager` is told to; False when it cannot be (it would not fit).

        `client` is filled in with the address that is trusted to be the client's.
        """
        cdef bint is_internal = manager.client_addresses.find(head, peer, client)
        cdef bint is_edge = manager.use_remote_address and not is_internal
        self.room.used = 0
        self.timeout_ms = -1
        self.retry_fields = None
        if head.seen >> <int> H_X_ENVOY & 1:
            if is_internal:
                self.timeout_ms = timeout_of(head)
                self.retry_fields = retry_fields_of(head)
            sanitize(head, is_edge)
        if not self.say_who_asks(head, manager, peer):
            return False
        if is_internal:
            add_field(head, b"x-envoy-internal", H_OTHER, Slice(b"true", 4))
        if manager.add_user_agent:
            name_the_service(head, manager)
        if manager.says_more and not self.say_more(head, manager, fd):
            return False
        if is_edge and client.family:
            add_field(head, b"x-envoy-external-address", H_OTHER,
                      Slice(<const char *> self.client_ip, format_ip(client, self.client_ip, sizeof(self.client_ip))))
        if manager.generate_request_id and (
                not head.seen >> <int> H_X_REQUEST_ID & 1 or (is_edge and not manager.preserve_external_request_id)):
            set_field(head, b"x-request-id", H_X_REQUEST_ID, self.stamps.request_id())
        if head.seen >> <int> H_X_FORWARDED_CLIENT_CERT & 1 and not manager.forward_client_cert:
            remove_fields(head, CLIENT_CERT, H_X_FORWARDED_CLIENT_CERT)
        return True

    cdef bint say_who_asks(self, Head *head, Manager manager, const PeerAddress *peer) noexcept:
        """x-forwarded-for and x-forwarded-proto: what the peer says of others only counts where it is trusted."""
        cdef Slice ip
        cdef bint has_proto = head.seen >> <int> H_X_FORWARDED_PROTO & 1
        if manager.use_remote_address and not manager.skip_xff_append and peer.family:
            ip = Slice(<const char *> self.peer_ip, format_ip(peer, self.peer_ip, sizeof(self.peer_ip)))
            if is_loopback(peer):
                ip = slice_of(self.stamps.local_ip)
            if not self.join(head, H_X_FORWARDED_FOR, b"x-forwarded-for", ip, Slice(b",", 1)):
                return False
        if not has_proto or (manager.use_remote_address and not manager.client_addresses.hops):
            set_field(head, b"x-forwarded-proto", H_X_FORWARDED_PROTO, Slice(b"http", 4))
        return True

    cdef bint say_more(self, Head *head, Manager manager, int fd) noexcept:
        """What few configurations ask for: another scheme, the port, via."""
        cdef PeerAddress local
        cdef int length
        if manager.scheme:
            set_field(head, b"x-forwarded-proto", H_X_FORWARDED_PROTO, slice_of(manager.scheme))
        if manager.append_x_forwarded_port and not has_field(head, FORWARDED_PORT, H_OTHER):
            read_local_address(&local, fd)
            length = snprintf(self.port, sizeof(self.port), b"%u", <unsigned> local.port)
            if local.family:
                add_field(head, b"x-forwarded-port", H_OTHER, Slice(<const char *> self.port, length))
        return not manager.via or self.join(head, H_VIA, b"via", slice_of(manager.via), Slice(b", ", 2))

    # hot

    cdef bint join(self, Head *head, HeaderId id, const char *name, Slice last, Slice comma) noexcept nogil:
        """Put `last` behind the values of all lines of a header, as one line."""
        cdef Room *room = &self.room
        cdef Slice value
        cdef Field *field
        cdef int i
        if not head.seen >> <int> id & 1:
            add_field(head, name, id, last)
            return True
        value = Slice(room.text + room.used, 0)
        for i in range(head.count):
            field = &head.fields[i]
            if field.id == <int> id and field.value.length:
                if room.used + field.value.length + last.length + 4 > room.size:
                    return False
                memcpy(room.text + room.used, field.value.data, field.value.length)
                room.used += field.value.length
                # between the lines Envoy writes a bare comma, whatever stands before what is appended
                room.text[room.used] = c","
                room.used += 1
        if room.text + room.used != value.data:
            room.used -= 1
            memcpy(room.text + room.used, comma.data, comma.length)
            room.used += comma.length
        elif last.length > room.size - room.used:
            return False
        memcpy(room.text + room.used, last.data, last.length)
        room.used += last.length
        value.length = room.text + room.used - value.data
        set_field(head, name, id, value)
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


cdef int64_t timeout_of(Head *head) noexcept nogil:
    """What x-envoy-upstream-rq-timeout-ms says; -1 for nothing."""
    cdef Slice name = Slice(b"x-envoy-upstream-rq-timeout-ms", 30)
    cdef Field *field
    cdef int64_t timeout_ms = 0
    cdef size_t k
    cdef int i
    for i in range(head.count):
        field = &head.fields[i]
        if field.name.length == name.length and memcmp(field.name.data, name.data, name.length) == 0:
            if field.value.length == 0 or field.value.length > 15:
                return -1
            for k in range(field.value.length):
                if not c"0" <= field.value.data[k] <= c"9":
                    return -1
                timeout_ms = timeout_ms * 10 + field.value.data[k] - 48
            return timeout_ms
    return -1


cdef dict retry_fields_of(const Head *head):
    """What the request says of its retries, by name; None for nothing."""
    cdef const Field *field
    cdef int i
    found = None
    for i in range(head.count):
        field = &head.fields[i]
        if field.id == H_X_ENVOY and field.name.data[:field.name.length] in RETRIES:
            found = found or {}
            found[field.name.data[:field.name.length]] = field.value.data[:field.value.length]
    return found


cdef bint has_names_allowed(Head *head, Manager manager) noexcept nogil:
    """Drop the headers with an underscore in their names, or say that there is one, as the manager is told to."""
    cdef int i
    for i in range(head.received):
        if head.fields[i].name.length and memchr(head.fields[i].name.data, c"_", head.fields[i].name.length) != NULL:
            if manager.rejects_underscores:
                return False
            remove_field(head, i)
    return True
