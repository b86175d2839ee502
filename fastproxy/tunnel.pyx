"""What follows a 101, or the connect of a TCP proxy: bytes in both directions, until one side or a timer ends it.

One function serves both directions. What the other side does not take is kept in its `out`, and nothing is read from
this side before that is gone: at most one read buffer per direction. An end of stream is passed on when everything
before it is; the tunnel is over when both sides have ended, or one is gone and the other has taken what waited for it.
"""

from libc.stdlib cimport free

from fastproxy.connections cimport (
    AWAITS_OPEN_PACKET, END_OF_STREAM, ENDED, HUNG_UP, PAUSED, READABLE, SHUT, SHUT_WHEN_FLUSHED, UPSTREAM, shut,
)
from fastproxy.counters cimport (
    cluster_packets_rx_total, cluster_packets_tx_total, cluster_upstream_cx_rx_bytes_total,
    cluster_upstream_cx_tx_bytes_total, host_cx_rx_bytes_total, host_cx_tx_bytes_total, host_packets_rx_total,
    host_packets_tx_total, http_downstream_cx_rx_bytes_total, http_downstream_cx_tx_bytes_total,
    http_packets_rx_total, http_packets_tx_total, http_packets_unread_ws, http_tunnel_paused, route_packets_rx_total,
    route_packets_tx_total, route_packets_unread_ws, route_rx_bytes_total, route_tx_bytes_total,
)
from fastproxy.frames cimport FrameCursor, frames_are_broken, frames_feed
from fastproxy.slow_readers cimport is_taking, look, untaken
from fastproxy.syscalls cimport ENOMEM, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, iovec
from fastproxy.tunnel_meters cimport (
    METER_PAUSES, METER_TOO_FAST, METER_TOO_LARGE, MeterVerdict, meter_take, meters_messages,
)

cdef enum:
    READS_AT_ONCE = 8  # full read buffers from one side before the others have their turn
    # how long nothing may pass, and nobody take what waits for it
    NODE_ENDED_TIMEOUT_MS = 60000  # once the node has ended: its client may have something to say or to read
    CLIENT_ENDED_TIMEOUT_MS = 10000  # once the client has: nodes end at once then, and it keeps a place until they do
    LEFT_TIMEOUT_MS = 10000  # once one side is gone, both ways
    LINGER_MS = 1000  # for the other side then to end too, when nothing waits for it


# hot

cdef TunnelState tunnel_event(Connections io, Connection *connection, uint32_t events) noexcept nogil:
    """The kernel has told of `events` on one side."""
    cdef TunnelState state = TUNNEL_GOES_ON
    if events & EPOLLOUT and connection.out != NULL:
        state = tunnel_write(io, connection)
        if state != TUNNEL_GOES_ON:
            return state
    if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR):
        connection.flags |= HUNG_UP | READABLE
    elif events & EPOLLIN:
        connection.flags |= READABLE
    if connection.flags & READABLE:
        state = tunnel_read(io, connection)
    return behind_event(connection, events, state)


cdef inline TunnelState behind_event(Connection *connection, uint32_t events, TunnelState state) noexcept nogil:
    """Who is gone frees the place, though what it has sent may wait for the other side."""
    if events & (EPOLLHUP | EPOLLERR) and state == TUNNEL_GOES_ON and (<Tunnel *> connection.tunnel).hold:
        return TUNNEL_FREES_PLACE
    return state


cdef TunnelState tunnel_carry(Connections io, Connection *connection, uint32_t events) noexcept nogil:
    """Go on behind TUNNEL_SHOWS, which came of `events`."""
    cdef TunnelState state = carry(io, connection, (<Tunnel *> connection.tunnel).shown_bytes)
    if state == TUNNEL_GOES_ON:
        state = tunnel_read(io, connection)
    return behind_event(connection, events, state)


cdef TunnelState tunnel_write(Connections io, Connection *connection) noexcept nogil:
    """Send what was left; then the other side may be read again, or its end passed on."""
    if io.flush(connection) < 0:
        return refuse(io, connection)
    if connection.out != NULL:
        return TUNNEL_GOES_ON
    if connection.flags & SHUT_WHEN_FLUSHED:
        shut(connection)
        if connection.flags & ENDED and connection.peer.out == NULL:
            return over(connection)
    if connection.peer.flags & PAUSED:
        connection.peer.flags &= ~PAUSED
        io.enqueue(connection.peer)
    return TUNNEL_GOES_ON


cdef inline TunnelState ended_by(Connection *connection) noexcept nogil:
    return TUNNEL_ENDED_BY_UPSTREAM if connection.kind == UPSTREAM else TUNNEL_ENDED_BY_DOWNSTREAM


cdef inline TunnelState over(Connection *connection) noexcept nogil:
    """Both sides have ended: who was first?"""
    cdef Tunnel *tunnel = <Tunnel *> connection.tunnel
    return TUNNEL_ENDED_BY_UPSTREAM if tunnel.upstream_ended_first else TUNNEL_ENDED_BY_DOWNSTREAM


cdef uint64_t count(Connection *connection, Tunnel *tunnel, const char *data, size_t got) noexcept nogil:
    """How many messages of a WebSocket end in these bytes."""
    cdef bint from_host = connection.kind == UPSTREAM
    if from_host:
        tunnel.bytes_sent += got
        connection.counters[<int> cluster_upstream_cx_rx_bytes_total] += got
        connection.peer.counters[<int> http_downstream_cx_tx_bytes_total] += got
        tunnel.host_counters[<int> host_cx_rx_bytes_total] += got
    else:
        tunnel.bytes_received += got
        connection.counters[<int> http_downstream_cx_rx_bytes_total] += got
        connection.peer.counters[<int> cluster_upstream_cx_tx_bytes_total] += got
        tunnel.host_counters[<int> host_cx_tx_bytes_total] += got
    if tunnel.is_relay:
        return 0
    tunnel.route_counters[<int> route_tx_bytes_total if from_host else <int> route_rx_bytes_total] += got
    return count_packets(tunnel, from_host, data, got)


cdef uint64_t count_packets(Tunnel *tunnel, bint from_host, const char *data, size_t length) noexcept nogil:
    """Count the messages of a WebSocket that end in these bytes of one direction."""
    cdef FrameCursor *cursor = &tunnel.from_host if from_host else &tunnel.from_client
    cdef uint64_t packets
    if frames_are_broken(cursor):
        return 0
    packets = frames_feed(cursor, data, length)
    if from_host:
        tunnel.upstream.counters[<int> cluster_packets_rx_total] += packets
        tunnel.host_counters[<int> host_packets_rx_total] += packets
        tunnel.downstream.counters[<int> http_packets_tx_total] += packets
        tunnel.route_counters[<int> route_packets_tx_total] += packets
    else:
        tunnel.upstream.counters[<int> cluster_packets_tx_total] += packets
        tunnel.host_counters[<int> host_packets_tx_total] += packets
        tunnel.downstream.counters[<int> http_packets_rx_total] += packets
        tunnel.route_counters[<int> route_packets_rx_total] += packets
    if frames_are_broken(cursor):
        tunnel.downstream.counters[<int> http_packets_unread_ws] += 1
        tunnel.route_counters[<int> route_packets_unread_ws] += 1
    return packets


cdef inline void touch(Connections io, Tunnel *tunnel) noexcept nogil:
    """Something has passed: the idle timeout runs anew, unless the timer has to end a pause."""
    if tunnel.idle_timeout_ms and (tunnel.meter == NULL or tunnel.meter.resumes_ms == 0):
        io.set_timer(tunnel.downstream, tunnel.idle_timeout_ms)


cdef TunnelState tunnel_meter(Connections io, Tunnel *tunnel, uint64_t packets, size_t got) noexcept nogil:
    """Hold the client to its limits: the tunnel goes on, perhaps after a pause, or nothing of this is passed on."""
    cdef MeterVerdict verdict
    if frames_are_broken(&tunnel.from_client) and meters_messages(tunnel.meter):
        return TUNNEL_TOO_LARGE  # nobody can tell any more where its messages end
    verdict = meter_take(tunnel.meter, packets, got, tunnel.from_client.largest_bytes, io.now_ms)
    if verdict == METER_PAUSES:
        tunnel.downstream.counters[<int> http_tunnel_paused] += 1
        io.set_timer(tunnel.downstream, tunnel.meter.resumes_ms - io.now_ms)
    elif verdict == METER_TOO_FAST:
        return TUNNEL_TOO_FAST
    elif verdict == METER_TOO_LARGE:
        return TUNNEL_TOO_LARGE
    return TUNNEL_GOES_ON


cdef void tunnel_resume(Connections io, Tunnel *tunnel) noexcept nogil:
    """The client has paid for what it had sent too fast."""
    tunnel.meter.resumes_ms = 0
    touch(io, tunnel)
    io.enqueue(tunnel.downstream)


cdef TunnelState tunnel_read(Connections io, Connection *connection) noexcept nogil:
    """Carry what one side has sent to the other, as far as that takes it."""
    cdef Tunnel *tunnel = <Tunnel *> connection.tunnel
    cdef ssize_t got
    cdef int reads = 0
    cdef TunnelState state
    while connection.flags & READABLE:
        if tunnel.meter != NULL and connection == tunnel.downstream and tunnel.meter.resumes_ms:
            return TUNNEL_GOES_ON
        if connection.peer.out != NULL:
            connection.flags |= PAUSED
            return TUNNEL_GOES_ON
        if reads == READS_AT_ONCE:
            io.enqueue(connection)
            return TUNNEL_GOES_ON
        reads += 1
        got = io.receive(connection)
        if got == 0:
            return TUNNEL_GOES_ON
        if got == END_OF_STREAM:
            return pass_end_on(io, connection)
        if got < 0:
            return leave(io, connection)
        if connection.flags & AWAITS_OPEN_PACKET and connection.kind == UPSTREAM:
            tunnel.shown_bytes = got
            return TUNNEL_SHOWS
        state = carry(io, connection, got)
        if state != TUNNEL_GOES_ON:
            return state
    return TUNNEL_GOES_ON


cdef TunnelState carry(Connections io, Connection *connection, size_t length) noexcept nogil:
    """Pass on what was just read from one side."""
    cdef Tunnel *tunnel = <Tunnel *> connection.tunnel
    cdef Connection *peer = connection.peer
    cdef TunnelState state
    cdef int failure
    cdef iovec part
    cdef uint64_t packets
    if peer.flags & SHUT:
        return TUNNEL_GOES_ON  # nobody takes it
    packets = count(connection, tunnel, io.read_buffer, length)
    if tunnel.meter != NULL and connection == tunnel.downstream:
        state = tunnel_meter(io, tunnel, packets, length)
        if state != TUNNEL_GOES_ON:
            return state
    touch(io, tunnel)
    part.iov_base = io.read_buffer
    part.iov_len = length
    failure = io.transmit(peer, &part, 1)
    if failure < 0:
        return ended_by(peer) if failure == -ENOMEM else refuse(io, peer)
    return TUNNEL_GOES_ON

# end hot


cdef TunnelState pass_end_on(Connections io, Connection *connection) noexcept nogil:
    """One side has sent its last byte: the other side learns it behind what it was sent."""
    cdef Tunnel *tunnel = <Tunnel *> connection.tunnel
    cdef Connection *peer = connection.peer
    cdef bint from_host = connection.kind == UPSTREAM
    if peer.flags & ENDED:
        if peer.out == NULL and connection.out == NULL:
            return over(connection)  # to close says it
    else:
        if connection.flags & SHUT:
            return leave(io, connection)  # nor does it take anything
        tunnel.upstream_ended_first = from_host
        if not tunnel.is_relay:  # half a TCP connection has a use; half a WebSocket has none
            limit_silence(io, tunnel, NODE_ENDED_TIMEOUT_MS if from_host else CLIENT_ENDED_TIMEOUT_MS)
    tell_end(peer)
    return TUNNEL_FREES_PLACE if from_host and tunnel.hold else TUNNEL_GOES_ON


cdef void tell_end(Connection *connection) noexcept nogil:
    """End our direction to one side, behind the bytes that wait for it."""
    if connection.out != NULL:
        connection.flags |= SHUT_WHEN_FLUSHED
    else:
        shut(connection)


cdef TunnelState refuse(Connections io, Connection *connection) noexcept nogil:
    """One side takes no more bytes. What it has sent before is still passed on; what the other side sends is not."""
    free(connection.out)
    connection.out = NULL
    connection.flags = (connection.flags | SHUT) & ~SHUT_WHEN_FLUSHED
    if connection.flags & ENDED:
        return leave(io, connection)
    connection.flags |= HUNG_UP | READABLE
    io.enqueue(connection)
    read_on(io, connection.peer)
    return TUNNEL_GOES_ON


cdef void read_on(Connections io, Connection *connection) noexcept nogil:
    """What one side has sent does not have to wait for the other any more."""
    connection.flags &= ~PAUSED
    io.enqueue(connection)


cdef TunnelState leave(Connections io, Connection *connection) noexcept nogil:
    """One side is gone, both ways. To close the other one while it sends, or before it has taken what waits for it,
    would make the kernel reset it and throw that away; so it is told the end, and has the time to end too."""
    cdef Tunnel *tunnel = <Tunnel *> connection.tunnel
    cdef Connection *peer = connection.peer
    cdef bint from_host = connection.kind == UPSTREAM
    free(connection.out)
    connection.out = NULL
    connection.flags = (connection.flags | ENDED | SHUT) & ~(READABLE | SHUT_WHEN_FLUSHED)
    if peer.out == NULL and (peer.flags & ENDED or not from_host and untaken(peer) == 0):
        return over(connection) if tunnel.is_left else ended_by(connection)
    tunnel.upstream_ended_first = from_host
    tunnel.is_left = True
    tell_end(peer)
    limit_silence(io, tunnel, LEFT_TIMEOUT_MS)
    peer.untaken_bytes = 0  # LINGER_MS is too short to tell a slow reader from one that takes nothing
    if tunnel.meter == NULL or tunnel.meter.resumes_ms == 0:
        io.set_timer(tunnel.downstream, min(tunnel.idle_timeout_ms, <uint64_t> LINGER_MS))
    read_on(io, peer)
    return TUNNEL_FREES_PLACE if tunnel.hold else TUNNEL_GOES_ON


cdef void limit_silence(Connections io, Tunnel *tunnel, uint64_t most_ms) noexcept nogil:
    """From now on the tunnel may be silent for that long at most."""
    if tunnel.idle_timeout_ms == 0 or tunnel.idle_timeout_ms > most_ms:
        tunnel.idle_timeout_ms = most_ms
    touch(io, tunnel)
    look(tunnel.downstream)
    look(tunnel.upstream)


cdef TunnelState tunnel_timer(Connections io, Tunnel *tunnel) noexcept nogil:
    """No byte came for `idle_timeout_ms`. The tunnel goes on if somebody took what waited for it meanwhile."""
    cdef Connection *c = tunnel.downstream
    cdef Connection *u = tunnel.upstream
    cdef bint is_taken = takes(c, tunnel.idle_timeout_ms)
    is_taken = takes(u, tunnel.idle_timeout_ms) or is_taken
    if tunnel.is_left and (not is_taken or c.untaken_bytes + u.untaken_bytes == 0):
        return over(c)
    if not is_taken:
        return TUNNEL_SILENT
    touch(io, tunnel)
    return TUNNEL_GOES_ON


cdef bint takes(Connection *connection, uint64_t period_ms) noexcept nogil:
    """Whether one side, unless it is gone, still takes what waits for it."""
    if connection.flags & ENDED and connection.flags & SHUT:
        connection.untaken_bytes = 0
        return False
    return is_taking(connection, period_ms)
