"""Heads of requests as they come: whole or in pieces, and what httptools says of them."""

from fastproxy.connections cimport PARTIAL_HEAD, Connection
from fastproxy.counters cimport (
    http_downstream_rq_overload_close,
    http_downstream_rq_active, http_downstream_rq_http1_total, http_downstream_rq_total,
)
from fastproxy.exchange.local_replies cimport INTERNAL_SERVER_ERROR
from fastproxy.exchange.state cimport Exchange, PartialHead, exchange_of, set_exchange
from fastproxy.head_guard cimport has_no_body, is_handshake, leads_on
from fastproxy.http1 cimport H_UPGRADE, HEAD_BAD, bit, head_length
from fastproxy.overload cimport SHED_CODEC, SHED_DISPATCH
from fastproxy.response_flags cimport FLAG_DPE
from fastproxy.runtime cimport Manager


cdef class RequestHeads(Mirroring):
    """Begins exchanges."""

    cdef Exchange begin(self, Connection *c, Manager manager):
        cdef Exchange x = Exchange.__new__(Exchange)
        x.downstream = c
        x.client = c.address
        x.manager = manager
        x.start_ms = self.io.now_ms
        if c.flags & PARTIAL_HEAD:
            c.flags &= ~PARTIAL_HEAD
            x.start_ms = (<PartialHead> c.exchange).start_ms
        x.service_time_ms = -1
        x.minor_version = 1
        x.keep_alive = not self.is_worn_out(c, manager) and not self.is_leaving(c) and not self.is_last_by_overload(c)
        set_exchange(c, x)
        self.active += 1
        c.counters[<int> http_downstream_rq_total] += 1
        c.counters[<int> http_downstream_rq_http1_total] += 1
        c.counters[<int> http_downstream_rq_active] += 1
        self.begin_timeouts(x)
        return x

    cdef bint is_dispatch_shed(self, Connection *c):
        """Whether bytes of a client are not to be looked at at present: its connection closes, unless nobody has asked
        for anything with an answer, which cuts one that has begun. Tunnels are not touched."""
        cdef Exchange x
        if c.requests == 0 and c.exchange == NULL and self.overload.sheds(SHED_CODEC, self.stamps.random()):
            c.counters[<int> http_downstream_rq_overload_close] += 1
            self.close_downstream(c)
            return True
        if not self.overload.sheds(SHED_DISPATCH, self.stamps.random()):
            return False
        x = exchange_of(c)
        if x is None:
            x = self.begin(c, <Manager> c.owner)
        c.counters[<int> http_downstream_rq_overload_close] += 1
        x.request_body.done = False
        x.rules = None
        x.response_flags |= FLAG_DPE
        self.reply(x, 500, INTERNAL_SERVER_ERROR)
        return True

    cdef bint admit_request(self, Connection *c, char *data, size_t head_end, size_t length):
        """Whether httptools agrees that this whole head is a request.

        It is shown the body too when all of it has come: a parser at the end of a message serves for the next one.
        """
        cdef PartialHead partial
        cdef bint ends = leads_on(&self.head) and not self.head.is_chunked
        if c.flags & PARTIAL_HEAD:
            partial = <PartialHead> c.exchange
            return self.guard.admit_part(partial.parser, data + partial.searched, head_end - partial.searched)
        if is_handshake(&self.head):
            if ends and has_no_body(&self.head) and not self.head.repeated & bit(H_UPGRADE):
                return self.guard.admit_handshake(
                    True, data, head_end, <char *> self.head.fields[self.head.first[<int> H_UPGRADE]].name.data)
            ends = False
        if self.head.content_length > 0:
            ends = ends and head_end + <size_t> self.head.content_length <= length
            if ends:
                head_end += <size_t> self.head.content_length
        return self.guard.admit_request(data, head_end, ends)

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
        partial.start_ms = self.io.now_ms
        if self.head_timeout_ms(manager):
            self.io.set_timer(c, self.head_timeout_ms(manager))
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
        self.refuse(self.begin(c, manager), HEAD_BAD)
        return False
