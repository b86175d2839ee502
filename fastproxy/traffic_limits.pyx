"""The limits of routes and connection managers, made ready for one worker.

The word of a bucket lies in the first worker's row, where all take from it, and what is counted by client in tables
that all share (`limit_tables`).
"""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset

from fastproxy.affinity_policy import Place
from fastproxy.connection_gates import ConnectionGate
from fastproxy.local_rate_limits import LocalRateLimit as make_rate_limit
from fastproxy.model import NO_LIMITS
from fastproxy.scopes import bucket_of, bucket_scope
from fastproxy.issued_ids cimport MAX_ID, SessionId
from fastproxy.keyed_buckets cimport keyed_rate
from fastproxy.limit_tables cimport LimitTables
from fastproxy.local_rate_limits cimport number_of
from fastproxy.token_buckets cimport bucket_rate, bucket_take
from fastproxy.tunnel_meters cimport Allowance

cdef uint64_t NS_PER_MS = 1000000


cdef void client_key(ClientKey *key, uint64_t limit, const PeerAddress *client) noexcept nogil:
    """A key of `sizeof(ClientKey)` bytes. The addresses of an IPv6 network count as one (RFC 6177)."""
    memset(key, 0, sizeof(key[0]))
    key.limit = limit
    memcpy(key.network, client.ip, 8 if client.family == 6 else 4)
    key.network[15] = client.family


cdef class HandshakeLimit:
    """How many new sessions there may be: by address, and of all together."""

    def __init__(self, all_together, by_address, layout, first_row, LimitTables tables):
        cdef uint64_t[::1] first = first_row
        self.owner = first_row
        self.buckets = tables.buckets
        if all_together is not None:
            bucket = bucket_of(all_together)
            self.rate = bucket_rate(bucket)
            self.bucket = &first[0] + <Py_ssize_t> layout.block("bucket", bucket_scope(all_together.place, bucket))
        if by_address is not None:
            self.rate_per_address = keyed_rate(by_address.per_second, by_address.burst)
            self.address_limit = number_of(f"{by_address.place} {by_address.per_second} {by_address.burst}")

    cdef uint64_t wait_ms(self, const PeerAddress *client, uint64_t now_ms, bint *is_crowded) noexcept:
        """0 for a session that may begin; else how long the client has to wait."""
        cdef ClientKey key
        cdef uint64_t wait_ms
        if self.address_limit:
            client_key(&key, self.address_limit, client)
            wait_ms = self.buckets.take(<char *> &key, sizeof(key), &self.rate_per_address, now_ms, is_crowded)
            if wait_ms:
                return wait_ms
        if self.bucket == NULL:
            return 0
        return (bucket_take(self.bucket, &self.rate, now_ms * NS_PER_MS) + NS_PER_MS - 1) // NS_PER_MS


cdef class TunnelCounter:
    """How many tunnels of one key there may be at once."""

    def __init__(self, model, LimitTables tables):
        self.counts = tables.counts
        self.place = None if model.key is None else Place(model.key)
        self.limit = number_of(model.place)
        self.most = model.most

    cdef int64_t take(self, const RequestFacts *facts) noexcept:
        """Count a tunnel: LiveCounts.take. Those without the key share one."""
        cdef ClientKey client
        cdef SessionId id
        cdef char named[8 + MAX_ID]
        if self.place is None:
            client_key(&client, self.limit, facts.remote)
            return self.counts.take(<char *> &client, sizeof(client), self.most)
        id.length = 0
        if not self.place.find_returned(facts, &id):
            id.length = 0
        memcpy(named, &self.limit, 8)
        memcpy(named + 8, id.text, id.length)
        return self.counts.take(named, 8 + id.length, self.most)


cdef class TrafficLimits:
    """What holds on a route, or where no route is found."""


cdef TunnelMeter meter_of(object model):
    """That of a tunnel that begins: it may send as much at once as its limits allow."""
    cdef TunnelMeter meter
    memset(&meter, 0, sizeof(meter))
    meter.messages = Allowance(model.message_burst, model.messages_per_second / 1000, model.message_burst)
    meter.bytes = Allowance(model.byte_burst, model.bytes_per_second / 1000, model.byte_burst)
    meter.max_message_bytes = model.max_message_bytes
    meter.closes = model.closes
    return meter


cdef class LimitMaker:
    """Makes limits ready; what is equal is made once. `row` is the worker's own among `rows`, those of all.
    `service_cluster` is what the proxy is called, for those that follow."""

    cdef object layout, row, rows
    cdef public str service_cluster
    cdef LimitTables tables
    cdef dict made

    def __init__(self, layout, row, rows, tables=None):
        self.tables = LimitTables.private() if tables is None else tables
        self.layout = layout
        self.row = row
        self.rows = rows
        self.service_cluster = ""
        self.made = {}

    def ready(self, model):
        """The limits that `model` (model.TrafficLimits) asks for; None: it asks for none."""
        if model == NO_LIMITS:
            return None
        name = (model, self.service_cluster)
        if name not in self.made:
            self.made[name] = self.make(model)
        return self.made[name]

    def gate(self, model):
        """The gate that `model` (model.ConnectionLimit or None) asks for, or None."""
        return None if model is None else ConnectionGate(model, self.layout, self.row, self.rows)

    cdef TrafficLimits make(self, model):
        cdef TrafficLimits limits = TrafficLimits()
        limits.model = model
        limits.max_request_bytes = model.max_request_bytes
        limits.max_url_bytes = model.max_url_bytes
        if model.handshakes is not None or model.handshakes_per_address is not None:
            limits.handshakes = HandshakeLimit(
                model.handshakes, model.handshakes_per_address, self.layout, self.rows[0], self.tables)
        if model.concurrent_tunnels is not None:
            limits.concurrent_tunnels = TunnelCounter(model.concurrent_tunnels, self.tables)
        if model.tunnels is not None:
            limits.meters_tunnels = True
            limits.meter = meter_of(model.tunnels)
        if model.local_rate_limit is not None:
            limits.local_rate_limit = make_rate_limit(
                model.local_rate_limit, self.layout, self.row, self.rows[0], self.tables.buckets, self.service_cluster)
        return limits
