"""The upstream's half of an exchange: its answer, relayed as it comes."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport free

from fastproxy.admission cimport is_websocket_answer
from fastproxy.connections cimport (
    CLOSED, CONNECTING, ENDED, HUNG_UP, IDLE, PAUSED, READABLE, SHUT, Buffer, Connection,
)
from fastproxy.counters cimport (
    cluster_upstream_cx_destroy_remote, cluster_upstream_cx_protocol_error, cluster_upstream_cx_rx_bytes_total,
    cluster_upstream_rq_interim_overflow,
    host_cx_rx_bytes_total, host_rq_error, host_rq_success,
)
from fastproxy.exchange.local_replies cimport CONNECT_FAILURE, PROTOCOL_ERROR, TERMINATION
from fastproxy.exchange.lost_sessions cimport VERDICT_OPEN, VERDICT_OTHER, Verdict
from fastproxy.exchange.state cimport CHUNK_SIZE_BYTES, PACKETS_OF_HOST, Exchange, encode, exchange_of
from fastproxy.heads cimport ResponseHead, write_interim, write_response
from fastproxy.bodies cimport (
    FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_NONE, FRAMING_UNTIL_CLOSE, Framing, body_init, body_take,
)
from fastproxy.http1 cimport (
    HEAD_OK, TOKEN_CLOSE, TOKEN_KEEP_ALIVE, head_length, parse_response,
)
from fastproxy.payloads cimport payload_feed
from fastproxy.response_flags cimport FLAG_UC, FLAG_UPE
from fastproxy.sent_requests cimport forget_sent
from fastproxy.syscalls cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, iovec

cdef enum:
    READS_AT_ONCE = 8  # full read buffers from one side before the others have their turn
    MAX_INTERIM_BYTES = 65536  # of the heads of 1xx before one answer


cdef class Response(AnswerHeads):
    """Reads upstream connections."""

    cdef int upstream_event(self, Connection *u, uint32_t events) except -1:
        cdef Exchange x
        if u.flags & IDLE:
            if events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR):
                u.counters[<int> cluster_upstream_cx_destroy_remote] += 1
                self.close_upstream(u)
            return 0
        if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR):
            u.flags |= HUNG_UP | READABLE
        elif events & EPOLLIN:
            u.flags |= READABLE
        x = exchange_of(u)
        if x is None:
            return 0
        if u.flags & CONNECTING:
            if events & (EPOLLERR | EPOLLHUP):
                self.retry_connect(x, CONNECT_FAILURE)
                return 0
            if events & EPOLLOUT:
                self.connected(u)
                self.watch.connected(x.host)
                self.io.set_timer(u, 0)
        if events & EPOLLOUT and u.out != NULL:
            self.upstream_writable(x, u)
        if u.flags & READABLE and u.kind != CLOSED:
            self.read_upstream(u)

    cdef int upstream_writable(self, Exchange x, Connection *u) except -1:
        if self.io.flush(u) < 0:
            u.flags |= SHUT
            free(u.out)
            u.out = NULL
        if u.out != NULL:
            return 0
        if x.request_body.done:
            self.request_complete(x)
        elif x.downstream.flags & PAUSED:
            x.downstream.flags &= ~PAUSED
            self.io.enqueue(x.downstream)

    cdef int read_upstream(self, Connection *u) except -1:
        cdef Exchange x
        cdef ssize_t got
        cdef int reads = 0
        while u.flags & READABLE:
            x = exchange_of(u)
            if x is None:
                return 0
            if x.downstream.out != NULL and (x.response_started or x.manager.proxy_100_continue):
                u.flags |= PAUSED
                return 0
            if reads == READS_AT_ONCE:
                self.io.enqueue(u)
                return 0
            reads += 1
            got = self.io.receive(u)
            if got == 0:
                return 0
            if got < 0:
                self.upstream_ended(x, u)
                return 0
            if x.retries is not None:
                x.retries.active_ms = self.io.now_ms
            u.counters[<int> cluster_upstream_cx_rx_bytes_total] += got
            x.host.counters[<int> host_cx_rx_bytes_total] += got
            self.answered(x, u, self.io.read_buffer, got)
            if u.kind == CLOSED or u.tunnel != NULL:
                return 0

    cdef int upstream_ended(self, Exchange x, Connection *u) except -1:
        """The upstream has closed or reset while it carries an exchange."""
        cdef bint in_order = u.flags & ENDED and not u.flags & SHUT  # else a body without a length is not all there
        u.counters[<int> cluster_upstream_cx_destroy_remote] += 1
        if x.answer_is_held and not self.judge_at_end(x, u):
            return 0
        if x.response_started and x.response_body.framing == FRAMING_UNTIL_CLOSE and in_order:
            x.response_body.done = True
            self.relay_response(x, NULL, 0, NULL)
        elif x.response_started:
            self.watch.origin_failed(x.host, 503)
            x.response_flags |= FLAG_UPE if x.response_body.framing != FRAMING_UNTIL_CLOSE else FLAG_UC
            self.abort(x)
        elif u.flags & CONNECTING:
            self.retry_connect(x, CONNECT_FAILURE)
        elif u.held != NULL:
            self.protocol_error(x)
        elif not self.is_repeated(x, u):
            self.watch.origin_failed(x.host, 503)
            if x.retries is not None and self.is_reset_retried(x):
                return 0
            x.response_flags |= FLAG_UC
            x.host.counters[<int> host_rq_error] += 1
            self.reply(x, 503, TERMINATION)

    cdef bint judge_at_end(self, Exchange x, Connection *u):
        """Go on with an answer that was held until the connection ended; False when that was all."""
        cdef Buffer *held = u.held
        u.held = NULL
        u.flags |= ENDED
        self.take_response(x, u, held.data + held.start, held.end - held.start)
        free(held)
        return x.response_started and x.upstream == u

    cdef int answered(self, Exchange x, Connection *u, char *data, size_t length) except -1:
        """Bytes of an upstream that carries an exchange."""
        cdef Buffer *held
        if x.response_started:
            self.relay_response(x, data, length, NULL)
            return 0
        if u.held == NULL:
            self.take_response(x, u, data, length)
            return 0
        if self.io.hold(u, data, length) < 0:
            self.protocol_error(x)
            return 0
        if x.partial is not None and not self.partial_response_grew(x, u):
            return 0
        held = u.held
        u.held = NULL
        self.take_response(x, u, held.data + held.start, held.end - held.start)
        free(held)

    cdef int take_response(self, Exchange x, Connection *u, char *data, size_t length) except -1:
        """Drop interim heads or pass them on; begin the response, or the tunnel, with the final one."""
        cdef ssize_t head_end
        while length:
            head_end = head_length(data, length, x.partial.searched if x.partial is not None else 0)
            if head_end < 0 and length <= self.runtime.max_head_bytes:
                if not self.keep_partial_response(x, u, data, length):
                    self.protocol_error(x)
                return 0
            if head_end < 0 or <size_t> head_end > self.runtime.max_head_bytes:
                self.protocol_error(x)
                return 0
            if parse_response(&self.head, data, head_end, 100) != HEAD_OK:
                self.protocol_error(x)
                return 0
            if self.head.status == 101 or self.head.status >= 200:
                self.start_response(x, u, data, head_end, length)
                return 0
            x.interim_bytes += head_end
            if x.interim_bytes > MAX_INTERIM_BYTES:
                u.counters[<int> cluster_upstream_rq_interim_overflow] += 1
                self.protocol_error(x)
                return 0
            if not self.admit_response(x, data, head_end, head_end):
                self.protocol_error(x)
                return 0
            if x.manager.proxy_100_continue and x.minor_version and not self.pass_interim(x):
                return 0
            forget_sent(u)
            data += head_end
            length -= head_end

    cdef bint pass_interim(self, Exchange x):
        """Have the client see the 1xx that was just parsed; False when the exchange is over."""
        cdef iovec part
        write_interim(&self.writer, &self.head, x.manager.proper_case)
        if self.writer.overflow:
            self.protocol_error(x)
            return False
        part.iov_base = self.writer.start
        part.iov_len = self.writer.at - self.writer.start
        return self.send_downstream(x, &part, 1)

    cdef int start_response(self, Exchange x, Connection *u, char *data, size_t head_end, size_t length) except -1:
        cdef Framing framing = self.response_framing(x)
        cdef size_t message_end = 0
        cdef Verdict verdict = VERDICT_OTHER
        if x.is_judged:
            verdict = self.judge(x, u, framing, data + head_end, length - head_end)
            x.answer_is_held = verdict == VERDICT_OPEN
            if x.answer_is_held:
                if self.io.hold(u, data, length) < 0:
                    self.protocol_error(x)
                return 0
        if framing == FRAMING_LENGTH and head_end + <size_t> self.head.content_length <= length:
            message_end = head_end + <size_t> self.head.content_length
        if not self.admit_response(x, data, head_end, message_end):
            self.protocol_error(x)
        elif x.retries is not None and verdict == VERDICT_OTHER and self.is_answer_retried(
                x, length == (head_end if framing == FRAMING_NONE else message_end)):
            return 0
        elif x.is_judged and self.is_declined(x, verdict):
            return 0
        elif self.head.status == 101:
            if x.retries is not None:
                self.settle_retries(x)
            if x.is_upgrade and is_websocket_answer(&self.head, x.expected_accept):
                self.begin_tunnel(x, data + head_end, length - head_end)
            else:
                self.protocol_error(x)
        else:
            self.plan_response(x, u, framing)
            self.send_response_head(x, u, data + head_end, length - head_end)

    cdef int plan_response(self, Exchange x, Connection *u, Framing framing) except -1:
        """Note what the parsed head says about the response and about both connections."""
        if x.retries is not None:
            self.settle_retries(x)
        x.response_started = True
        x.status = self.head.status
        x.answered_ms = self.io.now_ms
        body_init(&x.response_body, framing, self.head.content_length)
        x.upstream_keeps_alive = framing != FRAMING_UNTIL_CLOSE and not self.head.tokens & TOKEN_CLOSE and (
            self.head.minor_version == 1 or self.head.tokens & TOKEN_KEEP_ALIVE)
        self.note_reuse(x)
        x.response_is_chunked = False
        if framing == FRAMING_CHUNKED or framing == FRAMING_UNTIL_CLOSE:
            if x.minor_version == 1:
                x.response_is_chunked = True
            else:
                x.keep_alive = False
        if x.request_body.done:
            x.service_time_ms = self.io.now_ms - x.sent_ms
        if not x.request_body.done or self.is_leaving(x.downstream):
            x.keep_alive = False
        if x.expects_id:
            self.read_issued(x)
        if x.packet_source == PACKETS_OF_HOST:
            self.check_coding(x)
        self.count_status(x)
        self.watch.look(x.host, &self.head)
        if x.changes_response:
            self.change_response_head(x)
        self.keep_response_fields(x)

    cdef int send_response_head(self, Exchange x, Connection *u, char *body, size_t length) except -1:
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
            return 0
        part.iov_base = self.writer.start
        part.iov_len = self.writer.at - self.writer.start
        self.relay_response(x, body, length, &part)

    cdef int relay_response(self, Exchange x, char *data, size_t length, iovec *head) except -1:
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
                return 0
        x.bytes_sent += payload
        if payload and x.learns_sid:
            self.learn(x, data, payload)
        if payload and x.packet_source == PACKETS_OF_HOST:
            payload_feed(&x.packets, data, payload)
        if head != NULL:
            parts[0] = head[0]
            count = 1
        count += encode(parts + count, size_line, x.response_is_chunked, data, payload, x.response_body.done)
        if not self.send_downstream(x, parts, count):
            return 0
        if x.response_body.done:
            self.finish(x, <size_t> used < length)
        else:
            self.set_stream_timer(x)

    cdef int broken_body(self, Exchange x, iovec *head) except -1:
        """The upstream's chunks make no sense: the client must see that the response is not complete."""
        x.response_flags |= FLAG_UPE
        x.upstream.counters[<int> cluster_upstream_cx_protocol_error] += 1
        if head != NULL:
            x.response_started = False
            x.status = 0
            self.reply(x, 502, PROTOCOL_ERROR)
        else:
            self.abort(x)

    cdef int finish(self, Exchange x, bint surplus) except -1:
        """The response is complete. `surplus`: the upstream sent more than it announced."""
        cdef Connection *c = x.downstream
        cdef bint request_done = x.request_body.done
        x.host.counters[<int> (host_rq_error if x.status >= 500 else host_rq_success)] += 1
        self.leave_upstream(x, x.upstream_keeps_alive and request_done and not surplus)
        self.end(x)
        if not x.keep_alive or not request_done:
            self.end_downstream(c)
            return 0
        self.await_request(c, x.manager)
