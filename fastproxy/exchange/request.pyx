"""The downstream's half of an exchange: heads and bodies."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

from fastproxy.affinity cimport EngineIo, read_query
from fastproxy.connections cimport (
    CLOSED, CLOSE_WHEN_FLUSHED, HUNG_UP, LINGERING, PARTIAL_HEAD, PAUSED, READABLE, Buffer, Connection,
)
from fastproxy.counters cimport (
    http_downstream_cx_rx_bytes_total, http_downstream_flow_control_paused_reading_total,
    http_downstream_flow_control_resumed_reading_total, http_no_route, http_rq_total,
)
from fastproxy.exchange.local_replies cimport NO_BODY
from fastproxy.exchange.request_heads cimport GONE, NOT_COMPLETE
from fastproxy.exchange.state cimport (
    CHUNK_SIZE_BYTES, PACKETS_OF_CLIENT, Exchange, count_received, encode, exchange_of,
)
from fastproxy.heads cimport RequestHead, write_request
from fastproxy.bodies cimport body_init, body_take
from fastproxy.http1 cimport HEAD_BAD, HEAD_OK, HEAD_TOO_MANY_FIELDS, HeadError, head_length, parse_request
from fastproxy.overload cimport is_calm
from fastproxy.payloads cimport payload_feed
from fastproxy.request_facts cimport RequestFacts
from fastproxy.response_flags cimport FLAG_NR
from fastproxy.routing cimport ROUTE_FORWARD
from fastproxy.runtime cimport Manager
from fastproxy.syscalls cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, iovec

cdef enum:
    READS_AT_ONCE = 8  # full read buffers from one side before the others have their turn
    REQUESTS_AT_ONCE = 32  # that the proxy answers by itself, out of one buffer


cdef class Request(RequestHeads):
    """Reads downstream connections."""

    cdef int downstream_event(self, Connection *c, uint32_t events) except -1:
        if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR):
            c.flags |= HUNG_UP | READABLE
        elif events & EPOLLIN:
            c.flags |= READABLE
        if events & EPOLLOUT and c.out != NULL and not self.downstream_writable(c):
            return 0
        if c.flags & READABLE:
            self.read_downstream(c)

    cdef bint downstream_writable(self, Connection *c):
        """Send what was left; False when the connection is gone."""
        cdef Exchange x
        if self.io.flush(c) < 0:
            self.downstream_failed(c)
            return False
        if c.out != NULL:
            return True
        if c.flags & CLOSE_WHEN_FLUSHED:
            self.end_downstream(c)
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

    cdef int read_downstream(self, Connection *c) except -1:
        cdef Exchange x
        cdef ssize_t got
        cdef int reads = 0
        while c.flags & READABLE:
            x = exchange_of(c)
            if x is not None and x.request_body.done and c.flags & HUNG_UP:
                self.downstream_failed(c)
                return 0
            if c.flags & PAUSED or (x is not None and x.request_body.done):
                c.flags |= PAUSED
                return 0
            if reads == READS_AT_ONCE:
                self.io.enqueue(c)
                return 0
            reads += 1
            got = self.io.receive(c)
            if got == 0:
                return 0
            if got < 0:
                self.downstream_failed(c)
                return 0
            if c.flags & LINGERING:
                continue
            c.counters[<int> http_downstream_cx_rx_bytes_total] += got
            if not is_calm(self.overload) and self.is_dispatch_shed(c):
                return 0
            self.received(c, self.io.read_buffer, got)
            if c.kind == CLOSED or c.tunnel != NULL:
                return 0

    cdef int received(self, Connection *c, char *data, size_t length) except -1:
        """Bytes of a client, behind what is already held of it."""
        if c.held == NULL:
            self.consume(c, data, length)
            return 0
        if self.io.hold(c, data, length) < 0:
            self.downstream_failed(c)
        elif not c.flags & PARTIAL_HEAD or self.partial_head_grew(c):
            self.consume_held(c)

    cdef int consume_held(self, Connection *c) except -1:
        cdef Buffer *held = c.held
        c.held = NULL
        self.consume(c, held.data + held.start, held.end - held.start)
        free(held)

    cdef int consume(self, Connection *c, char *data, size_t length) except -1:
        """Take as many requests and bodies out of `data` as can be taken now; hold the rest."""
        cdef Exchange x
        cdef ssize_t used
        cdef int requests = 0
        while length:
            if c.flags & LINGERING:
                return 0
            x = exchange_of(c)
            if x is None and (c.out != NULL or requests == REQUESTS_AT_ONCE) or x is not None and x.request_body.done:
                c.flags |= PAUSED
                if self.io.hold(c, data, length) < 0:
                    self.downstream_failed(c)
                elif x is None and c.out == NULL:
                    self.io.enqueue(c)  # behind the others
                return 0
            if x is None:
                requests += 1
                used = self.take_request(c, data, length)
                if used == NOT_COMPLETE:
                    return 0
            else:
                used = self.take_request_body(x, data, length, NULL)
            if used < 0:
                return 0
            data += used
            length -= used

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
            if manager.preserve_case:
                self.mutation.keep_spelling(data, head_end)
            error = parse_request(&self.head, data, head_end, manager.max_fields)
            if error == HEAD_OK and not self.admit_request(c, data, head_end, length):
                error = HEAD_BAD
        x = self.begin(c, manager)
        if error != HEAD_OK:
            self.refuse(x, error)
            return GONE
        body_used = self.start(x, data + head_end, length - head_end)
        count_received(x, blank + head_end)
        return GONE if body_used < 0 else <ssize_t> blank + head_end + body_used

    cdef ssize_t start(self, Exchange x, char *body, size_t length):
        """Route the request whose head was just parsed and send it on: bytes of its body used, or GONE."""
        cdef RequestHead plan
        cdef RequestFacts facts
        cdef EngineIo engine_io
        cdef iovec part
        cdef Manager manager = x.manager
        cdef Connection *c = x.downstream
        memset(&plan, 0, sizeof(plan))
        x.request_body.done = self.head.content_length <= 0 and not self.head.is_chunked
        if not self.check_request(x, &plan) or self.is_request_shed(x):
            return self.after_reply(c, 0)
        facts.head = &self.head
        facts.path = plan.path
        facts.authority = plan.authority
        facts.remote = &x.client
        facts.fd = c.fd
        facts.filter_state = NULL
        facts.random = self.stamps.random()
        x.route = manager.routes.find(&facts)
        x.limits = manager.limits if x.route is None else x.route.limits
        if x.limits is not None and self.is_limited(x, &facts):
            return self.after_reply(c, 0)
        if x.route is None:
            x.response_flags |= FLAG_NR
            c.counters[<int> http_no_route] += 1
            self.reply(x, 404, NO_BODY)
            return self.after_reply(c, 0)
        c.counters[<int> http_rq_total] += 1
        if (x.route.action != ROUTE_FORWARD or x.route.cors is not None) and self.is_answered(x, &facts):
            return self.after_reply(c, 0)
        if not self.check_upgrade(x):
            return self.after_reply(c, 0)
        self.take_route_timeouts(x)
        read_query(&engine_io, plan.path)
        if x.route.origins is not None and not self.is_origin_admitted(x, &engine_io):
            return self.after_reply(c, 0)
        if x.limits is not None and self.is_newcomer_limited(x, &facts, &engine_io):
            return self.after_reply(c, 0)
        if self.is_forwarding_shed(x) or not self.direct(x, &facts, &plan):
            return self.after_reply(c, 0)
        if not self.pick(x, &facts, &engine_io):
            return self.after_reply(c, 0)
        if x.route.auto_host_rewrite:
            self.take_name_of_host(x, &facts, &plan)
        if not manager.proxy_100_continue and self.expects_continue():
            self.say_continue(x)
        self.plan_request(x, &plan)
        if x.route.retry_policy is not None or self.mutation.retry_fields is not None:
            self.begin_retries(x, &facts, &plan, self.mutation.retry_fields)
        self.writer.at = self.writer.start
        self.writer.overflow = False
        write_request(&self.writer, &self.head, &plan)
        if manager.preserve_case:
            self.mutation.write_spelling(&self.writer, &self.head)
        if self.writer.overflow:
            self.refuse(x, HEAD_TOO_MANY_FIELDS)
            return GONE
        body_init(&x.request_body, self.request_framing(x), self.head.content_length)
        part.iov_base = self.writer.start
        part.iov_len = self.writer.at - self.writer.start
        if x.route.mirrors:
            self.begin_mirrors(x, &facts, &plan)
        return self.take_request_body(x, body, length, &part)

    cdef ssize_t after_reply(self, Connection *c, ssize_t used):
        """The bytes used, where the proxy has answered by itself and the connection goes on; else GONE."""
        return GONE if c.kind == CLOSED or c.flags & (LINGERING | CLOSE_WHEN_FLUSHED) else used

    cdef ssize_t take_request_body(self, Exchange x, char *data, size_t length, iovec *head):
        """Send the body's part of `data` on, behind the head if there is one: the bytes used, or GONE."""
        cdef iovec parts[5]
        cdef char size_line[CHUNK_SIZE_BYTES]
        cdef Connection *c = x.downstream
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
            count_received(x, used)
            if x.packet_source == PACKETS_OF_CLIENT:
                payload_feed(&x.packets, data, payload)
            if x.limits is not None and self.is_body_too_large(x):
                return GONE
        if head != NULL:
            parts[0] = head[0]
            count = 1
        count += encode(parts + count, size_line, x.request_is_chunked, data, payload,
                        x.request_body.done and (head != NULL or used > 0))
        if x.request_body.done:
            x.sent_ms = self.io.now_ms
        if x.mirrored is not None:
            self.mirror_body(x, parts + (head != NULL), count - (head != NULL))
        if x.retries is not None:
            self.keep_for_retries(x, parts, count)
        if x.question is not None:
            self.gather(x, parts, count)
        elif head != NULL:
            self.attempt(x, parts, count)
        elif count:
            self.send_more(x, parts, count)
        if x.downstream == NULL:
            return self.after_reply(c, used)
        if (x.is_pending or x.upstream != NULL and x.upstream.out != NULL) and not x.request_body.done:
            c.flags |= PAUSED
            c.counters[<int> http_downstream_flow_control_paused_reading_total] += 1
        if x.request_body.done and head == NULL:
            self.request_complete(x)
        self.set_stream_timer(x)
        return used
