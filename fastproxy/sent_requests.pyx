"""A request as it went out on a connection that had carried others before: for the case that its node closes it.

A node may close an idle connection just when a request is on its way (RFC 9112 section 9.3.1). The copy lives in a
buffer of the connection, so that one request after the other uses the same memory.
"""

from libc.stdlib cimport free
from libc.string cimport memcmp

from fastproxy.connections cimport ENDED, REUSED, SHUT, buffer_append
from fastproxy.syscalls cimport SIOCOUTQ, ioctl

cdef enum:
    METHODS = 6

# RFC 9110 section 9.2.2, each with the space behind it
cdef const char *IDEMPOTENT[METHODS]
IDEMPOTENT[:] = [b"GET ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"TRACE "]
cdef size_t IDEMPOTENT_LENGTHS[METHODS]
IDEMPOTENT_LENGTHS[:] = [4, 5, 4, 7, 8, 6]


# hot

cdef bint has_sent(const Connection *u) noexcept nogil:
    """Whether all that was sent of the request at hand is kept."""
    return u.sent != NULL and u.sent.end > 0


cdef void keep_sent(Connection *u, const iovec *parts, int count, size_t total) noexcept nogil:
    """Keep the beginning of a request, `total` bytes, unless they are too many or there is no memory."""
    cdef int i
    forget_sent(u)
    if not u.flags & REUSED or total > SENT_BYTES:
        return
    for i in range(count):
        u.sent = buffer_append(u.sent, <const char *> parts[i].iov_base, parts[i].iov_len)
        if u.sent == NULL:
            return


cdef void keep_more_sent(Connection *u, const iovec *part) noexcept nogil:
    """Keep this piece too, if all before it was kept; if it is too much, nothing."""
    if not has_sent(u):
        return
    if u.sent.end + part.iov_len > SENT_BYTES:
        forget_sent(u)
    else:
        u.sent = buffer_append(u.sent, <const char *> part.iov_base, part.iov_len)


cdef void forget_sent(Connection *u) noexcept nogil:
    """The request at hand, if any, is not to be repeated from here; the memory stays for the next one."""
    if u.sent != NULL:
        u.sent.start = u.sent.end = 0

# end hot


cdef void drop_sent(Connection *u) noexcept nogil:
    """The connection will carry no other request."""
    free(u.sent)
    u.sent = NULL


cdef Buffer *take_sent(Connection *u) noexcept nogil:
    """What was kept, for the caller to free."""
    cdef Buffer *sent = u.sent
    u.sent = NULL
    return sent


cdef bint closed_unread(const Connection *u) noexcept nogil:
    """Whether the node has closed before its kernel had any of the request at hand, so that it cannot know it.

    Then we have read the end of its direction, and not a byte of ours is acknowledged: what it had received before it
    closed would be acknowledged with the end itself (RFC 9293 section 3.10.7). A reset leaves that open.
    """
    cdef int unacknowledged = 0
    cdef size_t waiting = 0 if u.out == NULL else u.out.end - u.out.start
    if not u.flags & ENDED or u.flags & SHUT or not has_sent(u):
        return False
    if ioctl(u.fd, SIOCOUTQ, &unacknowledged) < 0:
        return False
    return <size_t> unacknowledged + waiting >= u.sent.end - u.sent.start


cdef bint is_idempotent(const char *request, size_t length) noexcept nogil:
    """Whether the request is meant to do no more when it comes twice."""
    cdef int i
    for i in range(METHODS):
        if length > IDEMPOTENT_LENGTHS[i] and memcmp(request, IDEMPOTENT[i], IDEMPOTENT_LENGTHS[i]) == 0:
            return True
    return False
