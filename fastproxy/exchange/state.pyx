"""The state of one exchange, and how its connections hold it."""

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free

from fastproxy.connections cimport PARTIAL_HEAD, Connection
from fastproxy.counters cimport (
    cluster_packets_rx_total, cluster_packets_tx_total, host_packets_rx_total, host_packets_tx_total,
    http_packets_rx_total, http_packets_tx_total, http_packets_unread_polls, route_packets_rx_total,
    route_packets_tx_total,
)
from fastproxy.payloads cimport payload_is_broken
from fastproxy.syscalls cimport iovec


cdef class PartialHead:
    """A head of which only the beginning has come: the parser that has seen it, and how far."""


@cython.freelist(256)
cdef class Exchange:
    """The state of one exchange."""

    def __dealloc__(self):
        free(self.opening)
        free(self.unsent)
        free(self.reply_record)


cdef void count_packets(Exchange x) noexcept:
    """Count the packets of a poll that the host has answered with 200: others say what became of none."""
    cdef uint64_t packets = x.packets.packets
    if x.status != 200 or x.answered_ms == 0:
        return
    if x.packet_source == PACKETS_OF_HOST:
        x.host.cluster.counters[<int> cluster_packets_rx_total] += packets
        x.host.counters[<int> host_packets_rx_total] += packets
        x.downstream.counters[<int> http_packets_tx_total] += packets
        x.route.counters[<int> route_packets_tx_total] += packets
    else:
        x.host.cluster.counters[<int> cluster_packets_tx_total] += packets
        x.host.counters[<int> host_packets_tx_total] += packets
        x.downstream.counters[<int> http_packets_rx_total] += packets
        x.route.counters[<int> route_packets_rx_total] += packets
    if payload_is_broken(&x.packets):
        count_sid(x, http_packets_unread_polls)


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
