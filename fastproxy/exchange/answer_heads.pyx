"""Heads of answers as they come: whole or in pieces, and what httptools says of them."""

from fastproxy.bodies cimport FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_NONE, FRAMING_UNTIL_CLOSE, Framing
from fastproxy.connections cimport Connection
from fastproxy.exchange.state cimport Exchange, PartialHead
from fastproxy.head_guard cimport has_no_body, is_handshake, leads_on
from fastproxy.http1 cimport head_length


cdef class AnswerHeads(Retrying):
    """Decides what is the head of an answer, and what follows it."""

    cdef bint keep_partial_response(self, Exchange x, Connection *u, char *data, size_t length):
        cdef PartialHead partial = x.partial
        if partial is None:
            partial = x.partial = PartialHead.__new__(PartialHead)
            partial.parser = self.guard.begin(False)
        if not self.guard.admit_part(partial.parser, data + partial.searched, length - partial.searched):
            return False
        partial.searched = length
        return self.io.hold(u, data, length) == 0

    cdef bint partial_response_grew(self, Exchange x, Connection *u):
        """More of a head has come to what is held: whether it is complete, too large, or none at all."""
        cdef PartialHead partial = x.partial
        cdef char *data = u.held.data + u.held.start
        cdef size_t length = u.held.end - u.held.start
        if head_length(data, length, partial.searched) >= 0 or length > self.runtime.max_head_bytes:
            return True
        if self.guard.admit_part(partial.parser, data + partial.searched, length - partial.searched):
            partial.searched = length
        else:
            self.protocol_error(x)
        return False

    cdef bint admit_response(self, Exchange x, char *data, size_t head_end, size_t message_end):
        """Whether httptools agrees with the head; `message_end` is behind the body when all of it is there, else 0."""
        cdef PartialHead partial = x.partial
        if partial is not None:
            x.partial = None
            return self.guard.admit_part(partial.parser, data + partial.searched, head_end - partial.searched)
        if self.head.status == 101 and is_handshake(&self.head) and leads_on(&self.head) and has_no_body(&self.head):
            return self.guard.admit_handshake(False, data, head_end, data + 11)
        return self.guard.admit_response(
            data, message_end or head_end, message_end and self.head.status >= 200 and leads_on(&self.head))

    cdef Framing response_framing(self, Exchange x):
        """RFC 9112 section 6.3."""
        if x.is_head or self.head.status == 204 or self.head.status == 304:
            return FRAMING_NONE
        if self.head.is_chunked:
            return FRAMING_CHUNKED
        return FRAMING_LENGTH if self.head.content_length >= 0 else FRAMING_UNTIL_CLOSE
