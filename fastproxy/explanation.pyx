"""Which way a request goes through a connection manager, and why: asked by people, never by traffic.

The steps are those of an exchange up to the choice of its host, in the same order and made by the same code.
"""

from cpython.ref cimport PyObject
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ipaddress import ip_address

from fastproxy.addresses cimport PeerAddress, format_ip
from fastproxy.admission cimport TARGET_OK, UPGRADE_NONE, UPGRADE_WEBSOCKET, Target, read_target, read_upgrade
from fastproxy.affinity cimport EngineIo, read_query
from fastproxy.affinity_policy cimport AffinityPolicy, Protocol
from fastproxy.hashing cimport HashPolicies
from fastproxy.header_rules cimport Room, change_request
from fastproxy.http1 cimport HEAD_OK, Head, equals, parse_request
from fastproxy.limit_words import breaker_words, connection_words, request_words, session_words, tunnel_words
from fastproxy.local_rate_limits cimport Case, LimitBucket, LocalRateLimit
from fastproxy.log_operations cimport LogFacts
from fastproxy.mutation cimport Mutation
from fastproxy.path_normalization cimport PATH_PASSES, PATH_REDIRECTED, Normalized
from fastproxy.referer cimport check_referer
from fastproxy.request_facts cimport RequestFacts
from fastproxy.route_explanation cimport explained
from fastproxy.route_explanation import path_words
from fastproxy.routing cimport ROUTE_FORWARD, Destination, Route
from fastproxy.runtime cimport Manager
from fastproxy.slices cimport Slice
from fastproxy.stamps cimport Stamps
from fastproxy.traffic_limits cimport TrafficLimits
from fastproxy.upstream cimport Cluster

cdef enum:
    MAX_FIELDS = 500
    ROOM_BYTES = 65536  # for what header rules write

NOT_ASKED = ("HEAD", "OPTIONS")
REFUSALS = {
    "bad": "400: this target, Host or header is refused",
    "path": "400: this path is refused (normalize_path, path_with_escaped_slashes_action)",
    "redirected": "307: to the path with its slashes unescaped (path_with_escaped_slashes_action)",
    "upgrade": "403: the route lets no websocket through (upgrade_configs)",
    "other upgrade": "403: only upgrades to websocket are let through",
}


cdef class Follower:
    """Follows requests through one connection manager; `draw` is what would be the lot of each request."""

    cdef Manager manager
    cdef Mutation mutation
    cdef Room room
    cdef uint64_t draw

    def __init__(self, Manager manager, uint64_t draw=0):
        self.manager = manager
        self.draw = draw
        self.mutation = Mutation(Stamps(), manager.max_head_bytes)
        self.room.size = ROOM_BYTES
        self.room.text = <char *> malloc(ROOM_BYTES)
        if self.room.text == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.room.text)

    def follow(self, head: bytes, source: str, down=()):
        """The way of the request whose whole head is given, from `source` (an IP address); the hosts whose addresses
        are in `down` are passed over. See Way in the .pyi file. ValueError: no request, or no address."""
        cdef Head parsed
        cdef RequestFacts facts
        cdef PeerAddress peer, client
        cdef Target target
        cdef Normalized outcome
        cdef bytearray copy = bytearray(head)
        read_ip(&peer, source)
        client = peer
        if parse_request(&parsed, copy, len(copy), MAX_FIELDS) != HEAD_OK:
            raise ValueError("this is no request that HTTP/1.1 knows")
        memset(&facts, 0, sizeof(facts))
        facts.head, facts.remote, facts.fd, facts.random = &parsed, &client, -1, self.draw
        target = read_target(&parsed, self.manager.allow_absolute_url, &facts.path, &facts.authority)
        check_referer(&parsed)
        way = dict.fromkeys(("refused", "route", "hash", "balancer", "node", "session", "affinity"))
        way |= {"client": "", "is_certain": False, "next": [], "limits": []}
        if target != TARGET_OK or facts.authority.data == NULL:
            way["refused"] = REFUSALS["bad"]
            return way
        if self.manager.normalization is not None:
            outcome = self.manager.normalization.path(&facts.path)
            if outcome != PATH_PASSES:
                way["refused"] = REFUSALS["redirected" if outcome == PATH_REDIRECTED else "path"]
                return way
            self.manager.normalization.authority(&facts.authority, -1)
        self.mutation.apply(&parsed, self.manager, &peer, &client, -1)
        way["client"] = ip_text(&client)
        way["route"] = found = explained(self.manager.routes, &facts)
        way["limits"] = self.limits_of(found["route"], &facts)
        self.follow_route(way, found, found.pop("route"), &facts, down)
        return way

    cdef list limits_of(self, Route route, const RequestFacts *facts):
        """What the request is held to, in words."""
        cdef TrafficLimits limits = self.manager.limits if route is None else route.limits
        cdef EngineIo engine_io
        cdef Destination destination = None
        found = list(connection_words(self.manager.model))
        if route is not None and route.action == ROUTE_FORWARD:
            destination = route.choose(facts)
        if limits is not None:
            found += request_words(limits.model, self.descriptors_of(limits.local_rate_limit, destination, facts))
            read_query(&engine_io, facts.path)
            is_upgrade = read_upgrade(facts.head) == UPGRADE_WEBSOCKET
            if is_upgrade or engine_io.is_polling and equals(facts.head.method, b"get"):
                if engine_io.is_engine_io and engine_io.sid.length == 0:
                    found += session_words(limits.model)
            if is_upgrade:
                found += tunnel_words(limits.model)
        if destination is not None:
            found += breaker_words(destination.cluster.model, route.model.priority)
        return found

    cdef list descriptors_of(self, LocalRateLimit limit, Destination destination, const RequestFacts *facts):
        """The descriptors of the request that have buckets: see limit_words.Matched."""
        cdef Case case
        if limit is None:
            return []
        memset(&case, 0, sizeof(case))
        case.facts = facts
        matched = limit.matched(&case, None if destination is None else destination.cluster.name)
        return [
            (tuple((text_of(key), text_of(value)) for key, value in entries), (<LimitBucket> bucket).model,
             -hits if gives_back else hits)
            for bucket, entries, hits, gives_back, _ in matched
        ]

    cdef int follow_route(self, dict way, dict found, Route route, RequestFacts *facts, object down) except -1:
        """From the route to the host, where the route leads to one."""
        cdef Destination destination
        if route is None:
            return 0
        found["name"], found["match"] = route.name.decode(), path_words(route.model.match)
        if route.action != ROUTE_FORWARD:
            return 0
        wish = read_upgrade(facts.head)
        if wish != UPGRADE_NONE and not (wish == UPGRADE_WEBSOCKET and route.allow_websocket):
            way["refused"] = REFUSALS["upgrade" if wish == UPGRADE_WEBSOCKET else "other upgrade"]
            return 0
        destination = route.choose(facts)
        if destination is None:
            return 0
        way["session"], affinity = self.session(route, destination.cluster, facts, wish == UPGRADE_WEBSOCKET)
        state = self.set_filter_state(facts)
        path, host = self.change(route, destination, facts)
        found["path"], found["host"] = readable(facts.path), readable(facts.authority)
        self.follow_hash(way, route, destination.cluster, facts, down)
        has_hash = way["hash"]["hash"] is not None
        way["affinity"] = "hash" if has_hash and affinity != "asked" else affinity or "random"
        del path, host, state  # the facts borrowed them

    cdef dict set_filter_state(self, RequestFacts *facts):
        """What the filters leave, which the facts borrow."""
        cdef LogFacts known
        cdef char address[48]
        cdef dict state
        if self.manager.filter_state is None:
            return None
        fill_known(&known, address, facts)
        state = self.manager.filter_state.objects(facts, &known)
        facts.filter_state = <PyObject *> state
        return state

    cdef tuple change(self, Route route, Destination destination, RequestFacts *facts):
        """Change the request as the route says; the facts borrow what is returned."""
        cdef LogFacts known
        cdef char address[48]
        fill_known(&known, address, facts)
        self.room.used = 0
        if destination.header_rules:
            change_request(destination.header_rules, facts, &known, &self.room)
        if destination.host_rewrite is not None:
            facts.authority = Slice(destination.host_rewrite, len(destination.host_rewrite))
        host = route.rewritten_host(facts)
        if host is not None:
            facts.authority = Slice(host, len(host))
        path = route.rewritten_path(facts)
        if path is not None:
            facts.path = Slice(path, len(path))
        return path, host

    cdef tuple session(self, Route route, Cluster cluster, const RequestFacts *facts, bint is_upgrade):
        """The id of a request that would go to the node that issued it, else None; and "asked" where the nodes are
        asked for it when it is not known, "least" where a session may begin and there is no hash, else None."""
        cdef AffinityPolicy policy = route.affinity
        cdef Protocol protocol
        cdef EngineIo engine_io
        cdef Slice id
        if policy is None:
            return None, None
        read_query(&engine_io, facts.path)
        protocol = policy.find_id(facts, &engine_io, &id)
        if protocol is None:
            return None, None
        method = readable(facts.head.method).upper()
        if id.length:
            asks = policy.asks and protocol.can_be_asked and len(cluster.hosts) > 1 and method not in NOT_ASKED
            return readable(id), "asked" if asks else None
        if protocol is policy.engine_io:
            opens = is_upgrade or (engine_io.is_polling and method == "GET")
        else:
            opens = method != "OPTIONS"
        return None, "least" if opens and policy.least_sessions else None

    cdef int follow_hash(
        self, dict way, Route route, Cluster cluster, const RequestFacts *facts, object down
    ) except -1:
        cdef HashPolicies hashing = route.hashing if cluster.hashing is None else cluster.hashing
        cdef uint64_t hash = 0
        cdef bint has_hash = hashing.hash(facts, &hash, [])
        steps = [described(step) for step in hashing.trace(facts)]
        way["hash"] = {"policies": steps, "hash": f"{hash:#018x}" if has_hash else None}
        places = [i for i, host in enumerate(cluster.hosts) if host.address.decode() in down]
        trace = cluster.balancer.trace(hash if has_hash else None, places)
        order = [cluster.hosts[i].address.decode() for i in trace.order if i not in places]
        way["balancer"] = {name: shown(name, value) for name, value in trace.why.items()}
        way["is_certain"] = trace.first >= 0
        if order:
            way["node"], way["next"] = order[0], order[1:]


cdef int fill_known(LogFacts *known, char *address, const RequestFacts *facts) except -1:
    """What formats may tell of a request; the client's address is written to 48 bytes at `address`."""
    memset(known, 0, sizeof(known[0]))
    known.downstream_remote_address.data = address
    known.downstream_remote_address.length = format_ip(facts.remote, address, 48)
    known.protocol = 11


cdef dict described(step):
    values = None if step.values is None else [text_of(value) for value in step.values]
    return {
        "policy": step.policy, "values": values, "hash": None if step.hash is None else f"{step.hash:#018x}",
        "terminal": step.ends, "cookie": None if step.set_cookie is None else text_of(step.set_cookie),
    }


cdef object shown(str name, object value):
    """Hashes as they are written everywhere else."""
    return f"{value:#018x}" if name.endswith("hash") and isinstance(value, int) else value


cdef str text_of(bytes value):
    return value.decode("utf-8", "backslashreplace")


cdef int read_ip(PeerAddress *address, str text) except -1:
    cdef const char *packed
    ip = ip_address(text)
    memset(address, 0, sizeof(address[0]))
    octets = ip.packed
    packed = octets
    address.family = ip.version
    memcpy(address.ip, packed, len(octets))


cdef str ip_text(const PeerAddress *address):
    cdef char text[48]
    return text[:format_ip(address, text, sizeof(text))].decode()


cdef str readable(Slice text):
    return text_of(text.data[:text.length])
