"""From an exchange to a tunnel, and the end of the tunnel. The bytes between are tunnel.pyx's."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from fastproxy.affinity_policy cimport Affinity
from fastproxy.connections cimport HIGH_PRIORITY, HUNG_UP, PAUSED, READABLE, SHUT, Buffer, Connection
from fastproxy.counters cimport (
    cluster_high_rq_active, cluster_upstream_cx_tx_bytes_total, cluster_upstream_rq_active,
    cluster_upstream_rq_completed, host_cx_tx_bytes_total, host_rq_active, host_rq_success, host_sid_opened_websocket,
    host_sid_opening_active, host_sid_upgrade_done, host_ws_active, host_ws_total, http_downstream_cx_upgrades_active,
    http_downstream_cx_upgrades_total, http_downstream_rq_active, http_downstream_rq_completed,
    http_sid_opened_websocket, http_sid_upgrade_done,
    http_tunnel_too_fast, http_tunnel_too_large, route_rx_bytes_total, route_ws_active, route_ws_total,
)
from fastproxy.exchange.state cimport SID_NONE, Exchange, count_sid, set_exchange
from fastproxy.exchange.timeouts cimport sooner
from fastproxy.frames cimport frames_are_between
from fastproxy.heads cimport ResponseHead, write_response
from fastproxy.response_flags cimport FLAG_LR, FLAG_RL
from fastproxy.runtime cimport Manager
from fastproxy.sent_requests cimport drop_sent
from fastproxy.syscalls cimport iovec
from fastproxy.tunnel cimport TUNNEL_GOES_ON, TUNNEL_TOO_LARGE, Tunnel, TunnelState, count_packets, tunnel_meter
from fastproxy.tunnel_meters cimport TunnelMeter
from fastproxy.upstream cimport Host

cdef enum:
    METERED_READ_BYTES = 1024

# Close frames of a server (RFC 6455 sections 5.5.1 and 7.4.1): policy violation, and message too big
cdef bytes TOO_FAST_FRAME = b"\x88\x0a\x03\xf0too fast"
cdef bytes TOO_LARGE_FRAME = b"\x88\x0b\x03\xf1too large"


cdef class Upgrade(Relay):
    """Turns an exchange into a tunnel."""

    cdef int begin_tunnel(self, Exchange x, char *data, size_t length) except -1:
        """The upstream has switched protocols: from here bytes go both ways, and the exchange is over."""
        cdef ResponseHead plan
        cdef iovec parts[2]
        cdef Connection *c = x.downstream
        cdef Connection *u = x.upstream
        cdef Tunnel *tunnel = <Tunnel *> calloc(1, sizeof(Tunnel))
        if tunnel == NULL:
            self.protocol_error(x)
            return 0
        x.status = 101
        x.response_started = True
        x.keep_alive = True
        self.count_status(x)
        if x.changes_response:
            self.change_response_head(x)
        self.keep_response_fields(x)
        self.fill_response_head(x, &plan)
        plan.is_upgrade = True
        write_response(&self.writer, &self.head, &plan)
        if self.writer.overflow:
            free(tunnel)
            x.response_started = False
            self.protocol_error(x)
            return 0
        parts[0].iov_base = self.writer.start
        parts[0].iov_len = self.writer.at - self.writer.start
        parts[1].iov_base = data
        parts[1].iov_len = length
        if not self.send_downstream(x, parts, 2 if length else 1):
            free(tunnel)
            return 0
        tunnel.downstream = c
        tunnel.upstream = u
        tunnel.host_counters = x.host.counters
        tunnel.route_counters = x.route.counters
        tunnel.affinity = x.affinity
        tunnel.client = x.client
        tunnel.start_ms = x.start_ms
        tunnel.bytes_sent = length
        tunnel.idle_timeout_ms = x.idle_timeout_ms
        memcpy(tunnel.records, x.records, sizeof(tunnel.records))
        self.limit_tunnel(x, tunnel)
        count_packets(tunnel, True, data, length)
        self.count_tunnel(x)
        self.become_tunnel(x, c, u, tunnel)

    cdef void limit_tunnel(self, Exchange x, Tunnel *tunnel) noexcept:
        """From here the tunnel has the limits of its exchange. Reads are small where they are limited: what comes with
        one read goes on, and is paid for afterwards."""
        cdef Connection *c = tunnel.downstream
        tunnel.hold = x.hold
        x.hold = 0
        if x.limits is None or not x.limits.meters_tunnels:
            return
        tunnel.meter = <TunnelMeter *> malloc(sizeof(TunnelMeter))
        if tunnel.meter == NULL:
            return
        tunnel.meter[0] = x.limits.meter
        tunnel.meter.at_ms = self.io.now_ms
        if tunnel.meter.bytes.per_ms > 0 or tunnel.meter.messages.per_ms > 0:
            c.read_limit = min(c.read_limit, <uint32_t> METERED_READ_BYTES)

    cdef void count_tunnel(self, Exchange x) noexcept:
        """A host has a WebSocket more, which is a session of its own, or carries one that had begun before."""
        cdef uint64_t *host = x.host.counters
        host[<int> host_ws_total] += 1
        host[<int> host_ws_active] += 1
        x.route.counters[<int> route_ws_total] += 1
        x.route.counters[<int> route_ws_active] += 1
        if x.opens_session:
            host[<int> host_sid_opening_active] -= 1
            host[<int> host_sid_opened_websocket] += 1
            count_sid(x, http_sid_opened_websocket)
        elif x.sid_state != SID_NONE:
            self.runtime.sessions.hand_over(&x.seal)
            host[<int> host_sid_upgrade_done] += 1
            count_sid(x, http_sid_upgrade_done)

    cdef int become_tunnel(self, Exchange x, Connection *c, Connection *u, Tunnel *tunnel) except -1:
        """Leave two connections and a struct behind where an exchange was. Its gauges count until the tunnel ends."""
        cdef iovec part
        cdef Buffer *held = c.held
        cdef TunnelState state = TUNNEL_GOES_ON
        cdef uint64_t packets
        # max_stream_duration goes on on the upstream's side, whose timer a tunnel does not need
        self.io.set_timer(u, sooner(0, x.end_ms, self.io.now_ms) if x.end_ms else 0)
        c.held = NULL
        drop_sent(u)
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
        self.io.set_timer(c, tunnel.idle_timeout_ms)
        c.flags &= ~PAUSED
        if held != NULL:
            part.iov_base = held.data + held.start
            part.iov_len = held.end - held.start
            tunnel.bytes_received = part.iov_len
            u.counters[<int> cluster_upstream_cx_tx_bytes_total] += part.iov_len
            tunnel.host_counters[<int> host_cx_tx_bytes_total] += part.iov_len
            tunnel.route_counters[<int> route_rx_bytes_total] += part.iov_len
            packets = count_packets(tunnel, False, <const char *> part.iov_base, part.iov_len)
            if tunnel.meter != NULL:
                state = tunnel_meter(self.io, tunnel, packets, part.iov_len)
            if state == TUNNEL_GOES_ON and self.io.transmit(u, &part, 1) < 0:
                u.flags |= HUNG_UP | READABLE | SHUT
            free(held)
        self.io.enqueue(c)
        self.io.enqueue(u)
        if state != TUNNEL_GOES_ON:
            self.cut_tunnel(tunnel, state == TUNNEL_TOO_LARGE)

    cdef int cut_tunnel(self, Tunnel *tunnel, bint is_too_large) except -1:
        """The client goes beyond its limits: tell it so, between two frames of the node, and end the tunnel."""
        cdef iovec part
        cdef Connection *c = tunnel.downstream
        cdef bytes frame = TOO_LARGE_FRAME if is_too_large else TOO_FAST_FRAME
        c.counters[<int> (http_tunnel_too_large if is_too_large else http_tunnel_too_fast)] += 1
        part.iov_base = <char *> frame
        part.iov_len = len(frame)
        if frames_are_between(&tunnel.from_host) and self.io.transmit(c, &part, 1) >= 0:
            tunnel.is_cut = True
        self.end_tunnel(tunnel, FLAG_RL)

    cdef void free_place(self, Tunnel *tunnel) noexcept:
        """The tunnel counts no longer among those of its key."""
        if tunnel.hold:
            self.runtime.tables.counts.give_back(tunnel.hold - 1)
            tunnel.hold = 0

    cdef int end_tunnel(self, Tunnel *tunnel, uint64_t flags) except -1:
        """Count, log and close; the connections' structs are not used again before the batch of events is over."""
        cdef Connection *c = tunnel.downstream
        cdef Connection *u = tunnel.upstream
        cdef Host host = <Host> u.owner
        cdef Exchange x
        cdef bint is_cut = tunnel.is_cut
        if tunnel.is_relay:
            self.end_relay(tunnel, flags & FLAG_LR)  # Envoy has no flag for a TCP connection that an end has closed
            return 0
        c.tunnel = u.tunnel = NULL
        self.tunnels -= 1
        c.counters[<int> http_downstream_cx_upgrades_active] -= 1
        c.counters[<int> http_downstream_rq_active] -= 1
        c.counters[<int> http_downstream_rq_completed] += 1
        host.counters[<int> host_ws_active] -= 1
        tunnel.route_counters[<int> route_ws_active] -= 1
        host.counters[<int> host_rq_active] -= 1
        host.counters[<int> host_rq_success] += 1
        u.counters[<int> cluster_upstream_rq_active] -= 1
        if u.flags & HIGH_PRIORITY:
            u.counters[<int> cluster_high_rq_active] -= 1
        u.counters[<int> cluster_upstream_rq_completed] += 1
        if (<Manager> c.owner).access_logs:
            x = Exchange.__new__(Exchange)
            x.host = host
            x.affinity = <Affinity> tunnel.affinity
            x.status = 101
            x.minor_version = 1
            x.client = tunnel.client
            x.start_ms = tunnel.start_ms
            x.bytes_received = tunnel.bytes_received
            x.bytes_sent = tunnel.bytes_sent
            x.response_flags = flags
            self.log(<Manager> c.owner, tunnel.records, x, c)
        self.free_place(tunnel)
        free(tunnel.meter)
        free(tunnel)
        self.close_upstream(u)
        if is_cut:
            self.end_downstream(c)
        else:
            self.close_downstream(c)
