"""The state of one exchange, and how its connections hold it."""

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdio cimport snprintf
from libc.stdlib cimport free

from fastproxy.connections cimport PARTIAL_HEAD, Connection
from fastproxy.syscalls cimport iovec


cdef class PartialHead:
    """A head of which only the beginning has come: the parser that has seen it, and how far."""


@cython.freelist(256)
cdef class Exchange:
    """The state of one exchange."""

    def __dealloc__(self):
        free(self.opening)
        free(self.reply_record)


cdef Exchange exchange_of(Connection *connection):
    """The exchange that a connection carries; None while it is idle, or a head is still coming."""
    if connection.exchange == NULL or connection.flags & PARTIAL_HEAD:
        return None
    return <Exchange> connection.exchange


cdef void set_exchange(Connection *connection, object exchange) noexcept:
    """Have the connection own `exchange`, or nothing when it is None."""
    cdef PyObject *old = connection.exchange
    if exchange is None:
        connection.exchange = NULL
    else:
        Py_INCREF(exchange)
        connection.exchange = <PyObject *> exchange
    Py_XDECREF(old)


cdef int encode(iovec *parts, char *size_line, bint is_chunked, char *data, size_t length, bint done) noexcept:
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
