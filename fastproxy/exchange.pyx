"""One request and its response: route, pick, connect, send, relay, log.

`Exchanges` carries out all exchanges of a worker. The engine tells it what happened to a connection; everything that
may go on later (a pipelined request, a paused side) goes through the connections' queue, so that nothing recurses and
the shared read buffer has one user at a time. See docs/life-of-a-request.md.

Invariants: an exchange belongs to one downstream connection and at most one upstream connection at a time; nothing is
read from one side while the other side has bytes that it did not take; every exchange ends in `end`.
"""


cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from fastproxy.access_log cimport AccessLog, LogFacts
from fastproxy.log_record cimport LogRecord
from fastproxy.response_flags cimport (
    FLAG_DC, FLAG_DPE, FLAG_LR, FLAG_NR, FLAG_SI, FLAG_UC, FLAG_UF, FLAG_UH, FLAG_UPE, FLAG_UT,
)
from fastproxy.admission cimport (
    TARGET_BAD, TARGET_OK, TARGET_UNROUTABLE, UPGRADE_NONE, UPGRADE_REFUSED, UPGRADE_WEBSOCKET, Target, UpgradeWish,
    connection_names_trusted, is_websocket_answer, read_target, read_upgrade, websocket_accept,
)
from fastproxy.affinity cimport (
    MAX_OPEN_PACKET, OPEN_PACKET_FOUND, OPEN_PACKET_INCOMPLETE, OpenPacket, Session, read_open_packet, read_query,
)
from fastproxy.connections cimport (
    CLOSE_WHEN_FLUSHED, CLOSED, CONNECTING, DOWNSTREAM, HUNG_UP, IDLE, LINGERING, PARTIAL_HEAD, PAUSED, READABLE,
    REUSED, SHUT, SLAB, UPSTREAM, buffer_append, format_address, format_ip, reset_on_close, shut,
)
from fastproxy.counters cimport *
from fastproxy.heads cimport ResponseHead, write_local_reply, write_request, write_response
from fastproxy.http1 cimport (
    FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_NONE, FRAMING_UNTIL_CLOSE, H_CONTENT_ENCODING, H_EXPECT, H_REFERER,
    HEAD_BAD, HEAD_OK, HEAD_TOO_MANY_FIELDS, HEAD_UNKNOWN_CODING, HEAD_VERSION, TOKEN_CLOSE, TOKEN_KEEP_ALIVE,
    Framing, HeadError, body_init, body_take, equals, head_length, header, parse_request, parse_response,
)
from fastproxy.syscalls cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, iovec
from fastproxy.tunnel cimport TUNNEL_GOES_ON, TUNNEL_ENDED_BY_UPSTREAM, Tunnel, TunnelState, tunnel_read
from fastproxy.tunnel cimport tunnel_event as relay_event
from fastproxy.upstream cimport Cluster, connect_to, forget_idle, keep_idle, take_idle

cdef enum:
    READS_AT_ONCE = 8  # full read buffers from one side before the others have their turn
    LINGER_MS = 1000  # how long a refused client may go on sending (Envoy's delayed_close_timeout)
    FLUSH_TIMEOUT_MS = 10000  # for a closing connection to take what is still held for it
    CHUNK_SIZE_BYTES = 20
    NOT_COMPLETE = 0
    GONE = -1

# the bodies of Envoy's local replies
cdef bytes RESET_PREFIX = b"upstream connect error or disconnect/reset before headers. reset reason: "
cdef bytes CONNECT_FAILURE = RESET_PREFIX + b"remote connection failure"
cdef bytes CONNECT_TIMEOUT = RESET_PREFIX + b"connection timeout"
cdef bytes TERMINATION = RESET_PREFIX + b"connection termination"
cdef bytes PROTOCOL_ERROR = RESET_PREFIX + b"protocol error"
cdef bytes NO_HEALTHY_UPSTREAM = b"no healthy upstream"
cdef bytes UPSTREAM_TIMEOUT = b"upstream request timeout"
cdef bytes STREAM_TIMEOUT = b"stream timeout"
cdef bytes HEADER_TIMEOUT = b"request header timeout"
cdef bytes BAD_REQUEST = b"Bad Request"
cdef bytes NO_BODY = b""


cdef class PartialHead:
    """A head of which only the beginning has come: the parser that has seen it, and how far."""


@cython.freelist(256)
cdef class Exchange:
    """The state of one exchange."""

    def __dealloc__(self):
        free(self.opening)


cdef inline Exchange exchange_of(Connection *connection):
    """The exchange that a connection carries; None while it is idle, or a head is still coming."""
    if connection.exchange == NULL or connection.flags & PARTIAL_HEAD:
        return None
    return <Exchange> connection.exchange


cdef inline void set_exchange(Connection *connection, object exchange):
    """Have the connection own `exchange`, or nothing when it is None."""
    cdef PyObject *old = connection.exchange
    if exchange is None:
        connection.exchange = NULL
    else:
        Py_INCREF(exchange)
        connection.exchange = <PyObject *> exchange
    Py_XDECREF(old)


cdef inline int encode(iovec *parts, char *size_line, bint is_chunked, char *data, size_t length, bint done):
    """The pieces that carry `length` bytes of a body in its framing; how many pieces."""
    cdef int count = 0
    if length:
        if is_chunked:
            parts[count].iov_base = size_line
            parts[count].iov_len = snprintf(size_line, CHUNK_SIZE_BYTES, b"%zx\r\n", length)
            count += 1
        parts[count].iov_base = data
        parts[count].iov_len = length
        count += 1
    if is_chunked and (length or done):
        parts[count].iov_base = <char *> (b"\r\n0\r\n\r\n" if length else b"0\r\n\r\n")
        parts[count].iov_len = (7 if length else 5) if done else 2
        count += 1
    return count


cdef class Exchanges:
    """Carries out the exchanges of one worker."""

    def __init__(self, Connections io, Runtime runtime):
        cdef size_t size = runtime.max_head_bytes + 16384
        self.io = io
        self.runtime = runtime
        self.guard = HeadGuard()
        self.stamps = Stamps()
        self.session_lifetime_s = 60
        self.writer.start = <char *> malloc(size)
        if self.writer.start == NULL:
            raise MemoryError
        self.writer.end = self.writer.start + size

    def __dealloc__(self):
        free(self.writer.start)

    # --- downstream connections ---------------------------------------------------------------------------------

    cdef void accepted(self, Connection *c, Manager manager):
        """A client has connected to one of the manager's listeners."""
        Py_INCREF(manager)
        c.owner = <PyObject *> manager
        c.counters = manager.counters
        c.counters[<int> http_downstream_cx_total] += 1
        c.counters[<int> http_downstream_cx_active] += 1
        c.counters[<int> http_downstream_cx_http1_total] += 1
        c.counters[<int> http_downstream_cx_http1_active] += 1
        manager.listener_counters[<int> listener_downstream_cx_total] += 1
        manager.listener_counters[<int> listener_downstream_cx_active] += 1
        self.io.set_timer(c, manager.idle_timeout_ms)

    cdef void downstream_event(self, Connection *c, uint32_t events):
        if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR):
            c.flags |= HUNG_UP | READABLE
        elif events & EPOLLIN:
            c.flags |= READABLE
        if events & EPOLLOUT and c.out != NULL and not self.downstream_writable(c):
            return
        if c.flags & READABLE:
            self.read_downstream(c)

    cdef bint downstream_writable(self, Connection *c):
        """Send what was left; False when the connection is gone."""
        cdef Exchange x
        if self.io.flush(c) < 0:
            self.downstream_failed(c)
            return False
        if c.out != NULL:
            if c.flags & CLOSE_WHEN_FLUSHED:
                self.io.set_timer(c, FLUSH_TIMEOUT_MS)
            return True
        if c.flags & CLOSE_WHEN_FLUSHED:
            self.end_downstream(c, c.flags & LINGERING)
            return c.kind != CLOSED
        x = exchange_of(c)
        if x is None:
            c.flags &= ~PAUSED
            self.io.enqueue(c)
        elif x.upstream != NULL and x.upstream.flags & PAUSED:
            x.upstream.flags &= ~PAUSED
            c.counters[<int> http_downstream_flow_control_resumed_reading_total] += 1
            self.io.enqueue(x.upstream)
        return True

    cdef void read_downstream(self, Connection *c):
        cdef Exchange x
        cdef ssize_t got
        cdef int reads = 0
        while c.flags & READABLE:
            x = exchange_of(c)
            if x is not None and x.request_body.done and c.flags & HUNG_UP:
                self.downstream_failed(c)
                return
            if c.flags & PAUSED or (x is not None and x.request_body.done):
                c.flags |= PAUSED
                return
            if reads == READS_AT_ONCE:
                self.io.enqueue(c)
                return
            reads += 1
            got = self.io.receive(c)
            if got == 0:
                return
            if got < 0:
                self.downstream_failed(c)
                return
            if c.flags & LINGERING:
                continue
            c.counters[<int> http_downstream_cx_rx_bytes_total] += got
            self.received(c, self.io.read_buffer, got)
            if c.kind == CLOSED or c.tunnel != NULL:
                return

    cdef void received(self, Connection *c, char *data, size_t length):
        """Bytes of a client, behind what is already held of it."""
        if c.held == NULL:
            self.consume(c, data, length)
            return
        if self.io.hold(c, data, length) < 0:
            self.downstream_failed(c)
        elif not c.flags & PARTIAL_HEAD or self.partial_head_grew(c):
            self.consume_held(c)

    cdef void consume_held(self, Connection *c):
        cdef Buffer *held = c.held
        c.held = NULL
        self.consume(c, held.data + held.start, held.end - held.start)
        free(held)

    cdef void consume(self, Connection *c, char *data, size_t length):
        """Take as many requests and bodies out of `data` as can be taken now; hold the rest."""
        cdef Exchange x
        cdef ssize_t used
        while length:
            if c.flags & LINGERING:
                return
            x = exchange_of(c)
            if c.out != NULL and x is None or x is not None and x.request_body.done:
                c.flags |= PAUSED
                if self.io.hold(c, data, length) < 0:
                    self.downstream_failed(c)
                return
            if x is None:
                used = self.take_request(c, data, length)
                if used == NOT_COMPLETE:
                    return
            else:
                used = self.take_request_body(x, data, length, NULL)
            if used < 0:
                return
            data += used
            length -= used

    cdef void downstream_failed(self, Connection *c):
        """The client is gone, or has closed where it may not: end its exchange, if any, and the connection."""
        cdef Exchange x = exchange_of(c)
        if x is not None:
            x.response_flags |= FLAG_DC
            c.counters[<int> http_downstream_rq_rx_reset] += 1
            self.drop_upstream(x)
            self.end(x)
        self.close_downstream(c)

    cdef void close_downstream(self, Connection *c):
        cdef Manager manager
        if c.kind == CLOSED:
            return
        manager = <Manager> c.owner
        c.counters[<int> http_downstream_cx_active] -= 1
        c.counters[<int> http_downstream_cx_http1_active] -= 1
        c.counters[<int> http_downstream_cx_destroy] += 1
        manager.listener_counters[<int> listener_downstream_cx_active] -= 1
        manager.listener_counters[<int> listener_downstream_cx_destroy] += 1
        self.io.close(c)

    cdef void end_downstream(self, Connection *c, bint linger):
        """Close once everything is sent; with `linger`, let the client finish sending first, up to LINGER_MS.

        Closing on unread bytes would send a RST, and the client could lose the answer.
        """
        c.flags &= ~PAUSED
        if linger:
            c.flags |= LINGERING
        if c.out != NULL:
            c.flags |= CLOSE_WHEN_FLUSHED
            self.io.set_timer(c, FLUSH_TIMEOUT_MS)
        elif linger:
            c.flags &= ~CLOSE_WHEN_FLUSHED
            shut(c)
            self.io.set_timer(c, LINGER_MS)
            if c.flags & READABLE:
                self.io.enqueue(c)
        else:
            self.close_downstream(c)

    # --- requests -----------------------------------------------------------------------------------------------

    cdef ssize_t take_request(self, Connection *c, char *data, size_t length):
        """Begin an exchange with the head at `data`: the bytes used, NOT_COMPLETE (they are held) or GONE."""
        cdef Manager manager = <Manager> c.owner
        cdef size_t blank = 0
        cdef ssize_t head_end
        cdef ssize_t body_used
        cdef HeadError error
        cdef Exchange x
        while blank < length and (data[blank] == c"\r" or data[blank] == c"\n"):
            blank += 1
        if blank == length:
            return length
        data += blank
        length -= blank
        head_end = head_length(data, length, 0)
        if head_end < 0 and length <= manager.max_head_bytes:
            return self.begin_partial_head(c, data, length)
        error = HEAD_TOO_MANY_FIELDS
        if 0 <= head_end <= <ssize_t> manager.max_head_bytes:
            error = parse_request(&self.head, data, head_end, manager.max_fields)
            if error == HEAD_OK and not self.admit_request(c, data, head_end):
                error = HEAD_BAD
        if c.flags & PARTIAL_HEAD:
            c.flags &= ~PARTIAL_HEAD
            set_exchange(c, None)
        x = self.begin(c, manager)
        if error != HEAD_OK:
            self.refuse(x, error)
            return GONE
        body_used = self.start(x, data + head_end, length - head_end)
        return GONE if body_used < 0 else <ssize_t> blank + head_end + body_used

    cdef bint admit_request(self, Connection *c, char *data, size_t length):
        """Whether httptools agrees that this whole head is a request."""
        cdef PartialHead partial
        if c.flags & PARTIAL_HEAD:
            partial = <PartialHead> c.exchange
            return self.guard.admit_part(partial.parser, data + partial.searched, length - partial.searched)
        return self.guard.admit_request(
            data, length, self.head.content_length <= 0 and not self.head.is_chunked and self.head.tokens == 0
            and self.head.minor_version == 1)

    cdef ssize_t begin_partial_head(self, Connection *c, char *data, size_t length):
        """Keep the beginning of a head; garbage is refused as soon as httptools knows it for that."""
        cdef PartialHead partial = PartialHead.__new__(PartialHead)
        cdef Manager manager = <Manager> c.owner
        partial.parser = self.guard.begin(True)
        partial.searched = length
        if not self.guard.admit_part(partial.parser, data, length):
            self.refuse(self.begin(c, manager), HEAD_BAD)
            return GONE
        if self.io.hold(c, data, length) < 0:
            self.close_downstream(c)
            return GONE
        set_exchange(c, partial)
        c.flags |= PARTIAL_HEAD
        if manager.request_headers_timeout_ms:
            self.io.set_timer(c, manager.request_headers_timeout_ms)
        return NOT_COMPLETE

    cdef bint partial_head_grew(self, Connection *c):
        """More of a head has come to what is held: whether it is complete, or too large to wait for."""
        cdef PartialHead partial = <PartialHead> c.exchange
        cdef Manager manager = <Manager> c.owner
        cdef char *data = c.held.data + c.held.start
        cdef size_t length = c.held.end - c.held.start
        if head_length(data, length, partial.searched) >= 0 or length > manager.max_head_bytes:
            return True
        if self.guard.admit_part(partial.parser, data + partial.searched, length - partial.searched):
            partial.searched = length
            return False
        c.flags &= ~PARTIAL_HEAD
        set_exchange(c, None)
        self.refuse(self.begin(c, manager), HEAD_BAD)
        return False

    cdef Exchange begin(self, Connection *c, Manager manager):
        cdef Exchange x = Exchange.__new__(Exchange)
        x.downstream = c
        x.manager = manager
        x.start_ms = self.io.now_ms
        x.service_time_ms = -1
        x.minor_version = 1
        x.keep_alive = not self.draining
        set_exchange(c, x)
        self.active += 1
        c.counters[<int> http_downstream_rq_total] += 1
        c.counters[<int> http_downstream_rq_http1_total] += 1
        c.counters[<int> http_downstream_rq_active] += 1
        self.io.set_timer(c, manager.stream_idle_timeout_ms)
        return x

    cdef void refuse(self, Exchange x, HeadError error):
        """Answer a head that is not acceptable HTTP/1.1; the connection's framing is lost, so it closes."""
        x.request_body.done = False
        x.response_flags |= FLAG_DPE
        x.downstream.counters[<int> http_downstream_cx_protocol_error] += 1
        if error == HEAD_TOO_MANY_FIELDS:
            self.reply(x, 431, b"Request Header Fields Too Large")
        elif error == HEAD_UNKNOWN_CODING:
            self.reply(x, 501, b"Not Implemented")
        elif error == HEAD_VERSION:
            self.reply(x, 426, b"Upgrade Required")
        else:
            self.reply(x, 400, BAD_REQUEST)

    cdef ssize_t start(self, Exchange x, char *body, size_t length):
        """Route the request whose head was just parsed and send it on: bytes of its body used, or GONE."""
        cdef RequestHead plan
        cdef EngineIo engine_io
        cdef iovec part
        cdef Manager manager = x.manager
        cdef ssize_t used
        memset(&plan, 0, sizeof(plan))
        x.request_body.done = self.head.content_length <= 0 and not self.head.is_chunked
        if not self.check_request(x, &plan):
            return self.after_reply(x)
        x.route = manager.routes.find(plan.authority, plan.path)
        if x.route is None:
            x.response_flags |= FLAG_NR
            x.downstream.counters[<int> http_no_route] += 1
            self.reply(x, 404, NO_BODY)
            return self.after_reply(x)
        if not self.check_upgrade(x):
            return self.after_reply(x)
        read_query(&engine_io, plan.path)
        if not self.pick(x, &plan, &engine_io):
            return self.after_reply(x)
        if self.expects_continue() and not x.request_body.done and length == 0:
            self.say_continue(x)
        self.plan_request(x, &plan)
        self.writer.at = self.writer.start
        self.writer.overflow = False
        write_request(&self.writer, &self.head, &plan)
        if self.writer.overflow:
            self.refuse(x, HEAD_TOO_MANY_FIELDS)
            return GONE
        body_init(&x.request_body, self.request_framing(x), self.head.content_length)
        part.iov_base = self.writer.start
        part.iov_len = self.writer.at - self.writer.start
        return self.take_request_body(x, body, length, &part)

    cdef ssize_t after_reply(self, Exchange x):
        """What `start` returns once the proxy has answered by itself."""
        cdef Connection *c = x.downstream
        return GONE if c.kind == CLOSED or c.flags & (LINGERING | CLOSE_WHEN_FLUSHED) else 0

    cdef bint check_request(self, Exchange x, RequestHead *plan):
        """Version, target and Host; False when the request was answered here."""
        cdef Manager manager = x.manager
        cdef Target target
        x.minor_version = self.head.minor_version
        x.is_head = equals(self.head.method, b"head")
        if self.head.minor_version == 0:
            x.keep_alive = x.keep_alive and self.head.tokens & TOKEN_KEEP_ALIVE
            if not manager.accept_http_10:
                x.minor_version = 1
                self.refuse(x, HEAD_VERSION)
                return False
        elif self.head.tokens & TOKEN_CLOSE:
            x.keep_alive = False
        target = read_target(&self.head, manager.allow_absolute_url, &plan.path, &plan.authority)
        if plan.authority.data == NULL and self.head.minor_version == 0 and manager.default_host:
            plan.authority.data = manager.default_host
            plan.authority.length = len(manager.default_host)
        self.begin_records(x, plan)
        if target == TARGET_BAD or connection_names_trusted(&self.head):
            self.refuse(x, HEAD_BAD)
        elif plan.authority.data == NULL:
            x.keep_alive = False
            self.reply(x, 400, NO_BODY)
        elif target == TARGET_UNROUTABLE:
            x.response_flags |= FLAG_NR
            x.keep_alive = False
            self.reply(x, 404, NO_BODY)
        else:
            return True
        return False

    cdef bint check_upgrade(self, Exchange x):
        """Whether the request is plain, or a websocket handshake that its route allows; else it is answered here."""
        cdef UpgradeWish wish = read_upgrade(&self.head)
        if wish == UPGRADE_NONE:
            return True
        if wish == UPGRADE_REFUSED or not x.route.allow_websocket or x.minor_version == 0:
            if wish == UPGRADE_WEBSOCKET:
                x.downstream.counters[<int> http_downstream_rq_ws_on_non_ws_route] += 1
            x.keep_alive = False
            self.reply(x, 403, NO_BODY)
            return False
        x.expected_accept = websocket_accept(&self.head)
        if x.expected_accept is None or not x.request_body.done:
            self.refuse(x, HEAD_BAD)
            return False
        x.is_upgrade = True
        return True

    cdef Framing request_framing(self, Exchange x):
        if self.head.is_chunked:
            x.request_is_chunked = True
            return FRAMING_CHUNKED
        return FRAMING_LENGTH if self.head.content_length > 0 else FRAMING_NONE

    cdef bint expects_continue(self):
        cdef const Slice *expect = header(&self.head, H_EXPECT)
        return expect != NULL and equals(expect[0], b"100-continue")

    cdef void say_continue(self, Exchange x):
        cdef iovec part
        part.iov_base = <char *> (b"HTTP/1.1 100 Continue\r\n\r\n" if x.minor_version else b"HTTP/1.0 100 Continue\r\n\r\n")
        part.iov_len = 25
        self.io.transmit(x.downstream, &part, 1)

    cdef bint pick(self, Exchange x, RequestHead *plan, EngineIo *engine_io):
        """Choose the host: the one that issued the session, else the one that the hash or the balancer names."""
        cdef Manager manager = x.manager
        cdef Cluster cluster = x.route.cluster
        cdef uint32_t digest = 0
        x.timeout_ms = x.route.timeout_ms
        if engine_io.is_engine_io and manager.polls_outlive_default_timeout and not x.route.timeout_is_set:
            x.timeout_ms = 0
        x.has_hash = x.route.hash_request(&self.head, plan.path, plan.authority, &x.hash)
        if engine_io.is_engine_io and manager.sid_affinity and self.runtime.sessions is not None:
            x.learns_sid = engine_io.sid.length == 0 and engine_io.is_polling and not x.is_head
            if engine_io.sid.length:
                if self.runtime.sessions.find(engine_io.sid.data, engine_io.sid.length, self.io.now_ms // 1000,
                                              self.session_lifetime_s, &digest):
                    x.host = cluster.host_with_digest(digest)
                x.downstream.counters[<int> (http_sid_unknown if x.host is None else http_sid_known)] += 1
        if x.host is None:
            x.first_choice = cluster.balancer.choose(x.hash, x.has_hash)
            if x.first_choice < 0:
                x.response_flags |= FLAG_UH
                cluster.counters[<int> cluster_upstream_cx_none_healthy] += 1
                self.reply(x, 503, NO_HEALTHY_UPSTREAM)
                return False
            x.host = <Host> cluster.hosts[x.first_choice]
        return True

    cdef void plan_request(self, Exchange x, RequestHead *plan):
        """Decide what the upstream is told about the request; the slices live until the head is written."""
        cdef Manager manager = x.manager
        cdef Connection *c = x.downstream
        plan.is_upgrade = x.is_upgrade
        plan.is_edge = manager.use_remote_address
        plan.is_chunked = self.head.is_chunked
        plan.needs_length = x.request_body.done and self.head.content_length < 0 and not x.is_upgrade and (
            equals(self.head.method, b"post") or equals(self.head.method, b"put") or equals(self.head.method, b"patch"))
        plan.timeout_ms = x.timeout_ms
        if manager.use_remote_address:
            plan.external_address.data = self.client_ip
            plan.external_address.length = format_ip(&c.address, self.client_ip, sizeof(self.client_ip))
            if not manager.skip_xff_append:
                plan.client_ip = plan.external_address
                if c.address.family == 4 and c.address.ip[0] == 127 or self.client_ip == b"::1":
                    plan.client_ip.data = self.stamps.local_ip
                    plan.client_ip.length = len(self.stamps.local_ip)
        if manager.user_agent:
            plan.user_agent.data = plan.service_cluster.data = manager.user_agent
            plan.user_agent.length = plan.service_cluster.length = len(manager.user_agent)
        if manager.service_node:
            plan.service_node.data = manager.service_node
            plan.service_node.length = len(manager.service_node)
        if x.route.prefix_rewrite is not None:
            plan.original_path = plan.path
            x.rewritten = x.route.rewritten_path(plan.path)
            plan.path.data = x.rewritten
            plan.path.length = len(x.rewritten)
        if x.route.host_rewrite is not None:
            plan.authority.data = x.route.host_rewrite
            plan.authority.length = len(x.route.host_rewrite)

    cdef ssize_t take_request_body(self, Exchange x, char *data, size_t length, iovec *head):
        """Send the body's part of `data` on, behind the head if there is one: the bytes used, or GONE."""
        cdef iovec parts[5]
        cdef char size_line[CHUNK_SIZE_BYTES]
        cdef size_t payload = 0
        cdef ssize_t used = 0
        cdef int count = 0
        if not x.request_body.done:
            used = body_take(&x.request_body, data, length, &payload)
            if used < 0:
                self.drop_upstream(x)
                self.refuse(x, HEAD_BAD)
                return GONE
            x.bytes_received += payload
        if head != NULL:
            parts[0] = head[0]
            count = 1
        count += encode(parts + count, size_line, x.request_is_chunked, data, payload,
                        x.request_body.done and (head != NULL or used > 0))
        if x.request_body.done:
            x.sent_ms = self.io.now_ms
        if head != NULL:
            self.attempt(x, parts, count)
        elif count:
            self.send_more(x, parts, count)
        if x.downstream == NULL:
            return GONE
        if x.upstream != NULL and x.upstream.out != NULL and not x.request_body.done:
            x.downstream.flags |= PAUSED
            x.downstream.counters[<int> http_downstream_flow_control_paused_reading_total] += 1
        if x.request_body.done and head == NULL:
            self.request_complete(x)
        if x.manager.stream_idle_timeout_ms:
            self.io.set_timer(x.downstream, x.manager.stream_idle_timeout_ms)
        return used

    cdef void send_more(self, Exchange x, iovec *parts, int count):
        cdef Connection *u = x.upstream
        if u == NULL or u.flags & SHUT:
            return
        if self.io.transmit(u, parts, count) < 0:
            u.flags |= SHUT  # it may have answered before it closed: what it said is still read

    cdef void request_complete(self, Exchange x):
        """The request is with the upstream: from here the route's timeout runs."""
        x.sent_ms = self.io.now_ms
        if x.upstream != NULL and x.timeout_ms and not x.upstream.flags & CONNECTING:
            self.io.set_timer(x.upstream, x.timeout_ms)

    # --- upstream connections -----------------------------------------------------------------------------------

    cdef void attempt(self, Exchange x, iovec *parts, int count):
        """Send the request to the chosen host, or to the next ones while it is certain that nothing was sent."""
        cdef Connection *u
        cdef size_t total = 0
        cdef int i
        for i in range(count):
            total += parts[i].iov_len
        while True:
            u = take_idle(self.io, x.host)
            if u != NULL:
                self.bind(x, u)
                if self.io.transmit(u, parts, count) < 0:
                    u.flags |= SHUT
                break
            u = connect_to(self.io, x.host)
            if u != NULL:
                self.bind(x, u)
                if self.io.transmit(u, parts, count) == 0:
                    break
                self.drop_upstream(x)
            x.host.cluster.counters[<int> cluster_upstream_cx_connect_fail] += 1
            x.host.counters[<int> host_cx_connect_fail] += 1
            if not self.next_host(x):
                self.connect_failed(x, CONNECT_FAILURE)
                return
        if not u.flags & REUSED and u.out != NULL and u.out.end - u.out.start == total:
            u.flags |= CONNECTING
            self.io.set_timer(u, x.host.cluster.connect_timeout_ms)
        elif x.request_body.done:
            self.request_complete(x)

    cdef void bind(self, Exchange x, Connection *u):
        """Have the upstream connection carry this exchange."""
        cdef Host host = x.host
        set_exchange(u, x)
        u.peer = x.downstream
        u.requests += 1
        x.upstream = u
        self.io.set_timer(u, 0)
        host.counters[<int> host_rq_active] += 1
        host.counters[<int> host_rq_total] += 1
        u.counters[<int> cluster_upstream_rq_total] += 1
        u.counters[<int> cluster_upstream_rq_active] += 1

    cdef void unbind(self, Exchange x):
        cdef Connection *u = x.upstream
        x.upstream = NULL
        x.host.counters[<int> host_rq_active] -= 1
        u.counters[<int> cluster_upstream_rq_active] -= 1
        u.peer = NULL
        set_exchange(u, None)

    cdef void drop_upstream(self, Exchange x):
        """Give up the upstream connection: its state is not known any more."""
        cdef Connection *u = x.upstream
        if u != NULL:
            self.unbind(x)
            self.close_upstream(u)

    cdef void close_upstream(self, Connection *u):
        cdef Host host
        if u.kind == CLOSED:
            return
        host = <Host> u.owner
        if u.flags & IDLE:
            forget_idle(u, host)
        host.counters[<int> host_cx_active] -= 1
        u.counters[<int> cluster_upstream_cx_active] -= 1
        u.counters[<int> cluster_upstream_cx_destroy] += 1
        self.io.close(u)

    cdef bint next_host(self, Exchange x):
        """Go on to the next host that was not tried; False when there is none or the route does not want it."""
        cdef Cluster cluster = x.route.cluster
        cdef Py_ssize_t tried
        if not x.manager.connect_failover or x.host not in cluster.hosts:
            return False
        tried = cluster.hosts.index(x.host)
        if x.tried is None:
            x.tried = set()
            x.first_choice = tried
        x.tried.add(tried)
        tried = cluster.balancer.choose_other(x.hash, x.has_hash, x.first_choice, x.tried)
        if tried < 0:
            return False
        x.host = <Host> cluster.hosts[tried]
        cluster.counters[<int> cluster_upstream_rq_retry] += 1
        return True

    cdef void connect_failed(self, Exchange x, bytes reason):
        x.response_flags |= FLAG_UF
        x.host.counters[<int> host_rq_error] += 1
        self.reply(x, 503, reason)

    cdef void retry_connect(self, Exchange x, bytes reason):
        """The connection could not be had: send what it was to carry to the next host, or answer 503."""
        cdef Connection *u = x.upstream
        cdef Buffer *unsent = u.out
        cdef iovec part
        u.out = NULL
        x.host.cluster.counters[<int> cluster_upstream_cx_connect_fail] += 1
        x.host.counters[<int> host_cx_connect_fail] += 1
        self.drop_upstream(x)
        if self.next_host(x):
            part.iov_base = unsent.data + unsent.start
            part.iov_len = unsent.end - unsent.start
            self.attempt(x, &part, 1)
        else:
            self.connect_failed(x, reason)
        free(unsent)

    cdef void upstream_event(self, Connection *u, uint32_t events):
        cdef Exchange x
        if u.flags & IDLE:
            if events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR):
                u.counters[<int> cluster_upstream_cx_destroy_remote] += 1
                self.close_upstream(u)
            return
        if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR):
            u.flags |= HUNG_UP | READABLE
        elif events & EPOLLIN:
            u.flags |= READABLE
        x = exchange_of(u)
        if x is None:
            return
        if u.flags & CONNECTING:
            if events & (EPOLLERR | EPOLLHUP):
                self.retry_connect(x, CONNECT_FAILURE)
                return
            if events & EPOLLOUT:
                u.flags &= ~CONNECTING
                self.io.set_timer(u, 0)
        if events & EPOLLOUT and u.out != NULL:
            self.upstream_writable(x, u)
        if u.flags & READABLE and u.kind != CLOSED:
            self.read_upstream(u)

    cdef void upstream_writable(self, Exchange x, Connection *u):
        if self.io.flush(u) < 0:
            u.flags |= SHUT
            free(u.out)
            u.out = NULL
        if u.out != NULL:
            return
        if x.request_body.done:
            self.request_complete(x)
        elif x.downstream.flags & PAUSED:
            x.downstream.flags &= ~PAUSED
            self.io.enqueue(x.downstream)

    cdef void read_upstream(self, Connection *u):
        cdef Exchange x
        cdef ssize_t got
        cdef int reads = 0
        while u.flags & READABLE:
            x = exchange_of(u)
            if x is None:
                return
            if x.downstream.out != NULL and x.response_started:
                u.flags |= PAUSED
                return
            if reads == READS_AT_ONCE:
                self.io.enqueue(u)
                return
            reads += 1
            got = self.io.receive(u)
            if got == 0:
                return
            if got < 0:
                self.upstream_ended(x, u)
                return
            u.counters[<int> cluster_upstream_cx_rx_bytes_total] += got
            self.answered(x, u, self.io.read_buffer, got)
            if u.kind == CLOSED or u.tunnel != NULL:
                return

    cdef void upstream_ended(self, Exchange x, Connection *u):
        """The upstream has closed or reset while it carries an exchange."""
        u.counters[<int> cluster_upstream_cx_destroy_remote] += 1
        if x.response_started and x.response_body.framing == FRAMING_UNTIL_CLOSE and not u.flags & SHUT:
            x.response_body.done = True
            self.relay_response(x, NULL, 0, NULL)
        elif x.response_started:
            x.response_flags |= FLAG_UPE if x.response_body.framing != FRAMING_UNTIL_CLOSE else FLAG_UC
            self.abort(x)
        elif u.flags & CONNECTING:
            self.retry_connect(x, CONNECT_FAILURE)
        elif u.held != NULL:
            self.protocol_error(x)
        else:
            x.response_flags |= FLAG_UC
            x.host.counters[<int> host_rq_error] += 1
            self.reply(x, 503, TERMINATION)

    cdef void protocol_error(self, Exchange x):
        """The upstream does not speak HTTP/1.1: its connection is not used again."""
        x.response_flags |= FLAG_UPE
        x.host.counters[<int> host_rq_error] += 1
        x.upstream.counters[<int> cluster_upstream_cx_protocol_error] += 1
        self.reply(x, 502, PROTOCOL_ERROR)

    # --- responses ----------------------------------------------------------------------------------------------

    cdef void answered(self, Exchange x, Connection *u, char *data, size_t length):
        """Bytes of an upstream that carries an exchange."""
        cdef Buffer *held
        if x.response_started:
            self.relay_response(x, data, length, NULL)
            return
        if u.held == NULL:
            self.take_response(x, u, data, length)
            return
        if self.io.hold(u, data, length) < 0:
            self.protocol_error(x)
            return
        held = u.held
        u.held = NULL
        self.take_response(x, u, held.data + held.start, held.end - held.start)
        free(held)

    cdef void take_response(self, Exchange x, Connection *u, char *data, size_t length):
        """Pass interim heads over; begin the response, or the tunnel, with the final one."""
        cdef ssize_t head_end
        while length:
            head_end = head_length(data, length, x.partial.searched if x.partial is not None else 0)
            if head_end < 0 and length <= self.runtime.max_head_bytes:
                if not self.keep_partial_response(x, u, data, length):
                    self.protocol_error(x)
                return
            if head_end < 0 or <size_t> head_end > self.runtime.max_head_bytes:
                self.protocol_error(x)
                return
            if parse_response(&self.head, data, head_end, 100) != HEAD_OK:
                self.protocol_error(x)
                return
            if self.head.status == 101 or self.head.status >= 200:
                self.start_response(x, u, data, head_end, length)
                return
            if not self.admit_response(x, data, head_end, head_end):
                self.protocol_error(x)
                return
            data += head_end
            length -= head_end

    cdef bint keep_partial_response(self, Exchange x, Connection *u, char *data, size_t length):
        cdef PartialHead partial = x.partial
        if partial is None:
            partial = x.partial = PartialHead.__new__(PartialHead)
            partial.parser = self.guard.begin(False)
        if not self.guard.admit_part(partial.parser, data + partial.searched, length - partial.searched):
            return False
        partial.searched = length
        return self.io.hold(u, data, length) == 0

    cdef bint admit_response(self, Exchange x, char *data, size_t head_end, size_t message_end):
        """Whether httptools agrees with the head; `message_end` is behind the body when all of it is there, else 0."""
        cdef PartialHead partial = x.partial
        if partial is not None:
            x.partial = None
            return self.guard.admit_part(partial.parser, data + partial.searched, head_end - partial.searched)
        return self.guard.admit_response(data, message_end or head_end, message_end and self.head.status >= 200
                                         and not self.head.tokens and self.head.minor_version == 1)

    cdef Framing response_framing(self, Exchange x):
        """RFC 9112 section 6.3."""
        if x.is_head or self.head.status == 204 or self.head.status == 304:
            return FRAMING_NONE
        if self.head.is_chunked:
            return FRAMING_CHUNKED
        return FRAMING_LENGTH if self.head.content_length >= 0 else FRAMING_UNTIL_CLOSE

    cdef void start_response(self, Exchange x, Connection *u, char *data, size_t head_end, size_t length):
        cdef Framing framing = self.response_framing(x)
        cdef size_t message_end = 0
        if framing == FRAMING_LENGTH and head_end + <size_t> self.head.content_length <= length:
            message_end = head_end + <size_t> self.head.content_length
        if not self.admit_response(x, data, head_end, message_end):
            self.protocol_error(x)
        elif self.head.status == 101:
            if x.is_upgrade and is_websocket_answer(&self.head, x.expected_accept):
                self.begin_tunnel(x, data + head_end, length - head_end)
            else:
                self.protocol_error(x)
        else:
            self.plan_response(x, u, framing)
            self.send_response_head(x, u, data + head_end, length - head_end)

    cdef void plan_response(self, Exchange x, Connection *u, Framing framing):
        """Note what the parsed head says about the response and about both connections."""
        x.response_started = True
        x.status = self.head.status
        x.answered_ms = self.io.now_ms
        body_init(&x.response_body, framing, self.head.content_length)
        x.upstream_keeps_alive = framing != FRAMING_UNTIL_CLOSE and not self.head.tokens & TOKEN_CLOSE and (
            self.head.minor_version == 1 or self.head.tokens & TOKEN_KEEP_ALIVE)
        x.response_is_chunked = False
        if framing == FRAMING_CHUNKED or framing == FRAMING_UNTIL_CLOSE:
            if x.minor_version == 1:
                x.response_is_chunked = True
            else:
                x.keep_alive = False
        if x.request_body.done:
            x.service_time_ms = self.io.now_ms - x.sent_ms
        if self.draining:
            x.keep_alive = False
        if x.learns_sid and (x.status != 200 or header(&self.head, H_CONTENT_ENCODING) != NULL):
            x.learns_sid = False
        self.count_status(x)
        self.keep_response_fields(x)

    cdef void fill_response_head(self, Exchange x, ResponseHead *plan):
        memset(plan, 0, sizeof(plan[0]))
        plan.server_name.data = x.manager.server_name
        plan.server_name.length = len(x.manager.server_name)
        plan.date = self.stamps.date(self.io.now_ms)
        plan.service_time_ms = x.service_time_ms
        plan.minor_version = x.minor_version
        plan.close = not x.keep_alive
        plan.keep_alive = x.minor_version == 0
        self.writer.at = self.writer.start
        self.writer.overflow = False

    cdef void send_response_head(self, Exchange x, Connection *u, char *body, size_t length):
        cdef ResponseHead plan
        cdef iovec part
        self.fill_response_head(x, &plan)
        # a HEAD answer says how a GET would be framed, and has no body in either case
        plan.is_chunked = x.response_is_chunked or (
            x.is_head and self.head.content_length < 0 and x.minor_version == 1 and self.head.status != 204
            and self.head.status != 304)
        write_response(&self.writer, &self.head, &plan)
        if self.writer.overflow:
            x.response_started = False
            self.protocol_error(x)
            return
        part.iov_base = self.writer.start
        part.iov_len = self.writer.at - self.writer.start
        self.relay_response(x, body, length, &part)

    cdef void relay_response(self, Exchange x, char *data, size_t length, iovec *head):
        """Send the body's part of `data` to the client, behind the head if there is one; finish at the end."""
        cdef iovec parts[5]
        cdef char size_line[CHUNK_SIZE_BYTES]
        cdef size_t payload = 0
        cdef ssize_t used = 0
        cdef bint was_done = x.response_body.done
        cdef int count = 0
        if length and not was_done:
            used = body_take(&x.response_body, data, length, &payload)
            if used < 0:
                self.broken_body(x, head)
                return
        x.bytes_sent += payload
        if payload and x.learns_sid:
            self.learn(x, data, payload)
        if head != NULL:
            parts[0] = head[0]
            count = 1
        count += encode(parts + count, size_line, x.response_is_chunked, data, payload, x.response_body.done)
        if not self.send_downstream(x, parts, count):
            return
        if x.response_body.done:
            self.finish(x, <size_t> used < length)
        elif x.manager.stream_idle_timeout_ms:
            self.io.set_timer(x.downstream, x.manager.stream_idle_timeout_ms)

    cdef bint send_downstream(self, Exchange x, iovec *parts, int count):
        cdef Connection *c = x.downstream
        cdef size_t total = 0
        cdef int i
        for i in range(count):
            total += parts[i].iov_len
        c.counters[<int> http_downstream_cx_tx_bytes_total] += total
        if total and self.io.transmit(c, parts, count) < 0:
            self.downstream_failed(c)
            return False
        return True

    cdef void broken_body(self, Exchange x, iovec *head):
        """The upstream's chunks make no sense: the client must see that the response is not complete."""
        x.response_flags |= FLAG_UPE
        x.upstream.counters[<int> cluster_upstream_cx_protocol_error] += 1
        if head != NULL:
            x.response_started = False
            x.status = 0
            self.reply(x, 502, PROTOCOL_ERROR)
        else:
            self.abort(x)

    cdef void learn(self, Exchange x, char *data, size_t length):
        """Look for an open packet in the beginning of an answer to a handshake, and remember whose session it is."""
        cdef Session session
        cdef OpenPacket found
        if x.opening != NULL:
            x.opening = buffer_append(x.opening, data, length)
            if x.opening == NULL:
                x.learns_sid = False
                return
            data = x.opening.data + x.opening.start
            length = x.opening.end - x.opening.start
        found = read_open_packet(&session, data, length)
        if found == OPEN_PACKET_INCOMPLETE and length < MAX_OPEN_PACKET:
            if x.opening == NULL:
                x.opening = buffer_append(NULL, data, length)
            return
        x.learns_sid = False
        if found == OPEN_PACKET_FOUND:
            if session.lifetime_s + 15 > self.session_lifetime_s:
                self.session_lifetime_s = session.lifetime_s + 15
            if self.runtime.sessions.learn(session.sid.data, session.sid.length, x.host.digest,
                                           self.io.now_ms // 1000, session.lifetime_s + 15) == 1:
                x.downstream.counters[<int> http_sid_evicted] += 1
            x.downstream.counters[<int> http_sid_learned] += 1

    # --- ends ---------------------------------------------------------------------------------------------------

    cdef void finish(self, Exchange x, bint surplus):
        """The response is complete. `surplus`: the upstream sent more than it announced."""
        cdef Connection *u = x.upstream
        cdef Connection *c = x.downstream
        cdef bint request_done = x.request_body.done
        cdef Host host = x.host
        cdef bint keep = x.upstream_keeps_alive and request_done and not surplus and u.out == NULL \
            and not u.flags & (HUNG_UP | SHUT | READABLE) and not host.removed
        host.counters[<int> (host_rq_error if x.status >= 500 else host_rq_success)] += 1
        u.counters[<int> cluster_upstream_rq_completed] += 1
        self.unbind(x)
        if keep and host.cluster.max_requests_per_connection and \
                u.requests >= host.cluster.max_requests_per_connection:
            u.counters[<int> cluster_upstream_cx_max_requests] += 1
            keep = False
        if keep:
            keep_idle(self.io, u, host)
        else:
            self.close_upstream(u)
        self.end(x)
        if not x.keep_alive or not request_done:
            self.end_downstream(c, not request_done)
            return
        self.await_request(c, x.manager)

    cdef void await_request(self, Connection *c, Manager manager):
        """The connection is free for the next request; one that came already is taken up from the queue."""
        c.requests += 1
        self.io.set_timer(c, manager.idle_timeout_ms)
        if c.out == NULL and (c.flags & PAUSED or c.held != NULL):
            c.flags &= ~PAUSED
            self.io.enqueue(c)

    cdef void reply(self, Exchange x, int status, bytes body):
        """Answer by ourselves. The connection closes unless the request was read to its end and may keep it."""
        cdef ResponseHead plan
        cdef Slice text
        cdef iovec part
        cdef Connection *c = x.downstream
        cdef bint request_done = x.request_body.done
        if x.response_started:
            self.abort(x)
            return
        self.drop_upstream(x)
        x.keep_alive = x.keep_alive and request_done and not self.draining
        x.status = status
        x.service_time_ms = -1
        self.count_status(x)
        text.data = body
        text.length = len(body)
        self.fill_response_head(x, &plan)
        write_local_reply(&self.writer, status, text, &plan, x.is_head)
        x.bytes_sent = 0 if x.is_head else len(body)
        part.iov_base = self.writer.start
        part.iov_len = self.writer.at - self.writer.start
        if not self.send_downstream(x, &part, 1):
            return
        self.end(x)
        if x.keep_alive:
            self.await_request(c, x.manager)
        else:
            self.end_downstream(c, not request_done)

    cdef void abort(self, Exchange x):
        """A response that has begun cannot be completed: cut it so that the client can tell."""
        cdef Connection *c = x.downstream
        self.drop_upstream(x)
        c.counters[<int> http_downstream_rq_tx_reset] += 1
        if x.minor_version == 0 and x.response_body.framing != FRAMING_LENGTH:
            reset_on_close(c)
        self.end(x)
        self.end_downstream(c, False)

    cdef void count_status(self, Exchange x):
        cdef int step = x.status // 100
        if 1 <= step <= 5:
            x.downstream.counters[<int> http_downstream_rq_1xx + step - 1] += 1
            if x.upstream != NULL:
                x.upstream.counters[<int> cluster_upstream_rq_1xx + step - 1] += 1

    cdef void end(self, Exchange x):
        """Every exchange comes here once: counted, logged, forgotten by its connection."""
        cdef Connection *c = x.downstream
        if c == NULL:
            return
        self.active -= 1
        c.counters[<int> http_downstream_rq_active] -= 1
        c.counters[<int> http_downstream_rq_completed] += 1
        self.log(x.manager, x.records, x, c)
        x.downstream = NULL
        set_exchange(c, None)

    cdef void begin_records(self, Exchange x, RequestHead *plan):
        """Have the access logs keep what they will need of the request's head."""
        cdef AccessLog log
        cdef int i = 0
        for log in x.manager.access_logs:
            if i < MAX_LOGS:
                x.records[i] = log.capture_request(
                    &self.head.method, &plan.path, &plan.authority, self.head.fields, self.head.count)
            i += 1

    cdef void keep_response_fields(self, Exchange x):
        cdef AccessLog log
        cdef int i = 0
        for log in x.manager.access_logs:
            if i < MAX_LOGS and x.records[i] != NULL:
                x.records[i] = log.capture_response(<LogRecord *> x.records[i], self.head.fields, self.head.count)
            i += 1

    cdef void log(self, Manager manager, void **records, Exchange x, Connection *c):
        """Write a line to every access log: for an exchange, or for a tunnel at its end."""
        cdef AccessLog log
        cdef LogFacts facts
        cdef char address[64]
        cdef int i = 0
        if not manager.access_logs:
            return
        memset(&facts, 0, sizeof(facts))
        facts.downstream_remote_address.data = address
        facts.downstream_remote_address.length = format_address(&c.address, address, sizeof(address))
        facts.downstream_direct_remote_address = facts.downstream_remote_address
        self.fill_facts(&facts, x)
        for log in manager.access_logs:
            if i < MAX_LOGS:
                log.write(<LogRecord *> records[i], &facts)
                records[i] = NULL
            i += 1

    cdef void fill_facts(self, LogFacts *facts, Exchange x):
        """What the log can say of an exchange; the slices borrow from its route and host."""
        cdef uint64_t elapsed_ms = self.io.now_ms - x.start_ms
        facts.start_us = self.stamps.epoch_us(self.io.now_ms) - <int64_t> elapsed_ms * 1000
        facts.duration_us = elapsed_ms * 1000
        facts.request_duration_us = (x.sent_ms - x.start_ms) * 1000 if x.sent_ms else -1
        facts.response_duration_us = (x.answered_ms - x.start_ms) * 1000 if x.answered_ms else -1
        facts.bytes_received = x.bytes_received
        facts.bytes_sent = x.bytes_sent
        facts.response_code = x.status
        facts.protocol = 10 + x.minor_version
        facts.flags = x.response_flags
        if x.host is not None:
            set_host(facts, x.host)
        if x.route is not None:
            facts.route_name.data = x.route.name
            facts.route_name.length = len(x.route.name)

    # --- tunnels ------------------------------------------------------------------------------------------------

    cdef void begin_tunnel(self, Exchange x, char *data, size_t length):
        """The upstream has switched protocols: from here bytes go both ways, and the exchange is over."""
        cdef ResponseHead plan
        cdef iovec parts[2]
        cdef Connection *c = x.downstream
        cdef Connection *u = x.upstream
        cdef Tunnel *tunnel = <Tunnel *> calloc(1, sizeof(Tunnel))
        if tunnel == NULL:
            self.protocol_error(x)
            return
        x.status = 101
        x.response_started = True
        x.keep_alive = True
        self.count_status(x)
        self.keep_response_fields(x)
        self.fill_response_head(x, &plan)
        plan.is_upgrade = True
        write_response(&self.writer, &self.head, &plan)
        parts[0].iov_base = self.writer.start
        parts[0].iov_len = self.writer.at - self.writer.start
        parts[1].iov_base = data
        parts[1].iov_len = length
        if self.writer.overflow or not self.send_downstream(x, parts, 2 if length else 1):
            free(tunnel)
            return
        tunnel.downstream = c
        tunnel.upstream = u
        tunnel.start_ms = x.start_ms
        tunnel.bytes_sent = length
        tunnel.idle_timeout_ms = x.manager.stream_idle_timeout_ms
        memcpy(tunnel.records, x.records, sizeof(tunnel.records))
        self.become_tunnel(x, c, u, tunnel)

    cdef void become_tunnel(self, Exchange x, Connection *c, Connection *u, Tunnel *tunnel):
        """Leave two connections and a struct behind where an exchange was. Its gauges count until the tunnel ends."""
        cdef iovec part
        cdef Buffer *held = c.held
        c.held = NULL
        set_exchange(u, None)
        x.upstream = x.downstream = NULL
        set_exchange(c, None)
        c.tunnel = u.tunnel = tunnel
        c.peer = u
        u.peer = c
        self.active -= 1
        self.tunnels += 1
        c.counters[<int> http_downstream_cx_upgrades_total] += 1
        c.counters[<int> http_downstream_cx_upgrades_active] += 1
        self.io.set_timer(u, 0)
        self.io.set_timer(c, tunnel.idle_timeout_ms)
        c.flags &= ~PAUSED
        if held != NULL:
            part.iov_base = held.data + held.start
            part.iov_len = held.end - held.start
            tunnel.bytes_received = part.iov_len
            if self.io.transmit(u, &part, 1) < 0:
                u.flags |= HUNG_UP | READABLE
            free(held)
        self.io.enqueue(c)
        self.io.enqueue(u)

    cdef void tunnel_event(self, Connection *connection, uint32_t events):
        cdef TunnelState state = relay_event(self.io, connection, events)
        if state != TUNNEL_GOES_ON:
            self.end_tunnel(<Tunnel *> connection.tunnel, FLAG_UC if state == TUNNEL_ENDED_BY_UPSTREAM else FLAG_DC)

    cdef void end_tunnel(self, Tunnel *tunnel, uint64_t flags):
        """Count, log and close; the connections' structs are not used again before the batch of events is over."""
        cdef Connection *c = tunnel.downstream
        cdef Connection *u = tunnel.upstream
        cdef Host host = <Host> u.owner
        cdef Exchange x
        c.tunnel = u.tunnel = NULL
        self.tunnels -= 1
        c.counters[<int> http_downstream_cx_upgrades_active] -= 1
        c.counters[<int> http_downstream_rq_active] -= 1
        c.counters[<int> http_downstream_rq_completed] += 1
        host.counters[<int> host_rq_active] -= 1
        host.counters[<int> host_rq_success] += 1
        u.counters[<int> cluster_upstream_rq_active] -= 1
        u.counters[<int> cluster_upstream_rq_completed] += 1
        if (<Manager> c.owner).access_logs:
            x = Exchange.__new__(Exchange)
            x.host = host
            x.status = 101
            x.minor_version = 1
            x.start_ms = tunnel.start_ms
            x.bytes_received = tunnel.bytes_received
            x.bytes_sent = tunnel.bytes_sent
            x.response_flags = flags
            self.log(<Manager> c.owner, tunnel.records, x, c)
        free(tunnel)
        self.close_upstream(u)
        self.close_downstream(c)

    # --- what comes later ---------------------------------------------------------------------------------------

    cdef void resume(self, Connection *connection):
        """A connection of the queue has its turn: what it holds first, then what the kernel has for it."""
        cdef TunnelState state
        if connection.kind == CLOSED:
            return
        if connection.tunnel != NULL:
            state = tunnel_read(self.io, connection)
            if state != TUNNEL_GOES_ON:
                self.end_tunnel(
                    <Tunnel *> connection.tunnel, FLAG_UC if state == TUNNEL_ENDED_BY_UPSTREAM else FLAG_DC)
        elif connection.kind == UPSTREAM:
            self.read_upstream(connection)
        else:
            if connection.held != NULL and connection.exchange == NULL and connection.out == NULL:
                self.consume_held(connection)
            if connection.kind != CLOSED and connection.flags & READABLE:
                self.read_downstream(connection)

    cdef void timer(self, Connection *connection):
        """A connection's timer has expired; which one it was follows from its state."""
        if connection.kind == UPSTREAM:
            self.upstream_timer(connection)
        elif connection.kind == DOWNSTREAM:
            self.downstream_timer(connection)

    cdef void upstream_timer(self, Connection *u):
        cdef Exchange x = exchange_of(u)
        if u.flags & IDLE:
            u.counters[<int> cluster_upstream_cx_idle_timeout] += 1
            self.close_upstream(u)
        elif x is None:
            return
        elif u.flags & CONNECTING:
            u.counters[<int> cluster_upstream_cx_connect_timeout] += 1
            self.retry_connect(x, CONNECT_TIMEOUT)
        else:
            u.counters[<int> cluster_upstream_rq_timeout] += 1
            x.host.counters[<int> host_rq_timeout] += 1
            x.response_flags |= FLAG_UT
            self.reply(x, 504, UPSTREAM_TIMEOUT)

    cdef void downstream_timer(self, Connection *c):
        cdef Exchange x = exchange_of(c)
        if c.tunnel != NULL:
            c.counters[<int> http_downstream_rq_idle_timeout] += 1
            self.end_tunnel(<Tunnel *> c.tunnel, FLAG_SI)
        elif x is not None:
            c.counters[<int> http_downstream_rq_idle_timeout] += 1
            x.response_flags |= FLAG_SI
            self.reply(x, 504 if x.request_body.done else 408, STREAM_TIMEOUT)
        elif c.flags & PARTIAL_HEAD and (<Manager> c.owner).request_headers_timeout_ms:
            c.counters[<int> http_downstream_rq_header_timeout] += 1
            c.flags &= ~PARTIAL_HEAD
            x = self.begin(c, <Manager> c.owner)
            x.request_body.done = False
            self.reply(x, 408, HEADER_TIMEOUT)
        else:
            if not c.flags & (LINGERING | CLOSE_WHEN_FLUSHED):
                c.counters[<int> http_downstream_cx_idle_timeout] += 1
            self.close_downstream(c)

    cdef void drain(self):
        """Close idle downstream connections; from now on every response closes its own."""
        cdef Connection *c
        cdef size_t slab
        cdef int i
        self.draining = True
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                c = <Connection *> self.io.slabs[slab] + i
                if c.kind == DOWNSTREAM and c.exchange == NULL and c.tunnel == NULL and c.held == NULL:
                    self.end_downstream(c, False)

    cdef void close_all(self):
        """End everything that is open: exchanges are logged as they stand."""
        cdef Connection *c
        cdef size_t slab
        cdef int i
        for slab in range(self.io.slab_count):
            for i in range(SLAB):
                c = <Connection *> self.io.slabs[slab] + i
                if c.kind == DOWNSTREAM or c.kind == UPSTREAM and c.flags & IDLE:
                    self.discard(c)

    cdef void discard(self, Connection *connection):
        """End a connection, and what it carries, at once."""
        cdef Exchange x = exchange_of(connection)
        if connection.kind == CLOSED:
            return
        if connection.tunnel != NULL:
            self.end_tunnel(<Tunnel *> connection.tunnel, FLAG_LR)
        elif x is not None and x.downstream != NULL:
            x.response_flags |= FLAG_LR
            connection = x.downstream
            self.drop_upstream(x)
            self.end(x)
            self.close_downstream(connection)
        elif connection.kind == UPSTREAM:
            self.close_upstream(connection)
        else:
            self.close_downstream(connection)


cdef inline void set_host(LogFacts *facts, Host host):
    facts.upstream_host.data = host.address
    facts.upstream_host.length = len(host.address)
    facts.upstream_cluster.data = host.cluster.name
    facts.upstream_cluster.length = len(host.cluster.name)
