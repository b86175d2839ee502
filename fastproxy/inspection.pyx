"""What the data plane's C functions make of given bytes, for whoever is not on the hot path.

Each function hands its bytes to the very code that traffic takes, and returns what that code found as Python objects.
"""

from ipaddress import ip_address

from libc.stdint cimport uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from fastproxy.admission cimport (
    TARGET_OK, TARGET_UNROUTABLE, UPGRADE_NONE, UPGRADE_WEBSOCKET, Target, UpgradeWish, is_websocket_answer,
    read_target, read_upgrade, websocket_accept,
)
from fastproxy.addresses cimport PeerAddress, format_address, format_ip, parse_ip, read_address
from fastproxy.client_address cimport ClientAddresses
from fastproxy.connections cimport Buffer, Connection, buffer_append
from fastproxy.bodies cimport (
    FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_NONE, FRAMING_UNTIL_CLOSE, Body, body_init, body_take,
)
from fastproxy.cors cimport CorsPolicy
from fastproxy.hashing cimport HashPolicies
from fastproxy.head_guard cimport HeadGuard
from fastproxy.header_rules cimport KeptValues, Room, change_request, change_response, keep_for_response
from fastproxy.http1 cimport (
    HEAD_BAD, HEAD_OK, HEAD_TOO_MANY_FIELDS, HEAD_UNKNOWN_CODING, HEAD_VERSION, TOKEN_CLOSE, TOKEN_KEEP_ALIVE,
    TOKEN_OTHER, TOKEN_UPGRADE, Head, HeadError, head_length, parse_request, parse_response,
)
from fastproxy.log_operations cimport LogFacts
from fastproxy.origins cimport OriginPolicy
from fastproxy.referer cimport check_referer
from fastproxy.request_facts cimport RequestFacts
from fastproxy.routing cimport Route, RouteTable, hash_policies_of
from fastproxy.slices cimport Slice
from fastproxy.syscalls cimport AF_INET6, htons, sockaddr_in, sockaddr_in6, sockaddr_storage
from fastproxy.tunnel cimport Tunnel

ERRORS = {
    HEAD_BAD: "bad", HEAD_TOO_MANY_FIELDS: "too many fields", HEAD_UNKNOWN_CODING: "unknown coding",
    HEAD_VERSION: "version",
}
FRAMINGS = {
    "none": FRAMING_NONE, "length": FRAMING_LENGTH, "chunked": FRAMING_CHUNKED, "until close": FRAMING_UNTIL_CLOSE,
}
TOKENS = {"close": TOKEN_CLOSE, "keep-alive": TOKEN_KEEP_ALIVE, "upgrade": TOKEN_UPGRADE, "other": TOKEN_OTHER}


cdef bytes text(Slice slice):
    return slice.data[:slice.length] if slice.data != NULL else None


# --- connections ------------------------------------------------------------------------------------------------------

def struct_bytes():
    """What one connection and one tunnel take, without what the kernel needs."""
    return {"connection": sizeof(Connection), "tunnel": sizeof(Tunnel)}


def address_text(family: int, ip: bytes, port: int):
    """`(ip, address)` as logs write them, for an address as the kernel gives it."""
    cdef sockaddr_storage source
    cdef PeerAddress address
    cdef char written[64]
    cdef const char *raw = ip
    memset(&source, 0, sizeof(source))
    source.ss_family = family
    if family == AF_INET6:
        memcpy(&(<sockaddr_in6 *> &source).sin6_addr, raw, 16)
        (<sockaddr_in6 *> &source).sin6_port = htons(port)
    else:
        memcpy(&(<sockaddr_in *> &source).sin_addr, raw, 4)
        (<sockaddr_in *> &source).sin_port = htons(port)
    read_address(&address, &source)
    length = format_ip(&address, written, sizeof(written))
    plain = written[:length]
    length = format_address(&address, written, sizeof(written))
    return plain, written[:length]


def buffered(pieces):
    """What a buffer holds after each `(data, sent)`: data put behind it, then up to `sent` bytes taken from it."""
    cdef Buffer *buffer = NULL
    cdef size_t size, sent
    contents = []
    for data, taken in pieces:
        size, sent = len(data), taken
        buffer = buffer_append(buffer, data, size)
        if buffer == NULL:
            raise MemoryError
        buffer.start += min(sent, buffer.end - buffer.start)
        contents.append(buffer.data[buffer.start:buffer.end])
    free(buffer)
    return contents


# --- heads ------------------------------------------------------------------------------------------------------------

cdef bytearray parse(Head *head, bytes data, bint is_request, int max_fields):
    """Parse a whole head; the slices live as long as what is returned. ValueError says what is wrong with it."""
    cdef bytearray copy = bytearray(data)
    cdef HeadError error = HEAD_BAD
    if head_length(data, len(data), 0) == len(data):
        error = (parse_request if is_request else parse_response)(head, copy, len(copy), max_fields)
    if error != HEAD_OK:
        raise ValueError(ERRORS[error])
    return copy


def read_head(data: bytes, is_request: bool, max_fields: int = 100):
    """A whole head as the data plane reads it. ValueError: bad, too many fields, unknown coding, version."""
    cdef Head head
    _alive = parse(&head, data, is_request, max_fields)
    return {
        "first": (text(head.method), text(head.target)) if is_request else head.status,
        "minor_version": head.minor_version,
        "fields": fields_of(&head),
        "content_length": head.content_length,
        "is_chunked": bool(head.is_chunked),
        "tokens": {name for name, bit in TOKENS.items() if head.tokens & bit},
    }


def head_end(data: bytes, searched: int = 0):
    """Where the head ends, or -1; in the first `searched` bytes its end is known not to be."""
    return head_length(data, len(data), searched)


def is_head(data: bytes, is_request: bool, cuts=()):
    """Whether httptools takes the whole head `data`, given in one piece or cut at the offsets `cuts`."""
    cdef HeadGuard guard = HeadGuard()
    cdef bytes part
    if not cuts:
        if is_request:
            return bool(guard.admit_request(data, len(data), False))
        return bool(guard.admit_response(data, len(data), False))
    parser = guard.begin(is_request)
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        part = data[start:end]
        if not guard.admit_part(parser, part, len(part)):
            return False
    return True


# --- bodies -----------------------------------------------------------------------------------------------------------

cdef class BodyReader:
    """A body, as the data plane takes it out of what its connection brings."""

    cdef Body body

    def __init__(self, framing: str, length: int = 0):
        body_init(&self.body, FRAMINGS[framing], length)

    def take(self, data: bytes):
        """`(used, payload)`: how many bytes belong to the body, and what they carry. ValueError: it is none."""
        cdef bytearray copy = bytearray(data)
        cdef size_t payload = 0
        cdef ssize_t used = body_take(&self.body, copy, len(copy), &payload)
        if used < 0:
            raise ValueError("bad body")
        return used, bytes(copy[:payload])

    @property
    def done(self):
        """Whether the body has ended."""
        return bool(self.body.done)


# --- requests ---------------------------------------------------------------------------------------------------------

def target(head: bytes, allow_absolute_url: bool = True):
    """`(path, authority)` of a request; None when it has no path to route. ValueError: bad."""
    cdef Head parsed
    cdef Slice path, authority
    cdef Target found
    _alive = parse(&parsed, head, True, 100)
    found = read_target(&parsed, allow_absolute_url, &path, &authority)
    if found == TARGET_UNROUTABLE:
        return None
    if found != TARGET_OK:
        raise ValueError("bad")
    return text(path), text(authority)


def upgrade_wish(head: bytes):
    """What a request wants to become: `none`, `websocket`, or `refused`, which is something no route allows."""
    cdef Head parsed
    cdef UpgradeWish wish
    _alive = parse(&parsed, head, True, 100)
    wish = read_upgrade(&parsed)
    return "none" if wish == UPGRADE_NONE else "websocket" if wish == UPGRADE_WEBSOCKET else "refused"


def expected_accept(head: bytes):
    """The Sec-WebSocket-Accept that answers a handshake; None for a malformed key."""
    cdef Head parsed
    _alive = parse(&parsed, head, True, 100)
    return websocket_accept(&parsed)


def is_answer(head: bytes, accept: bytes):
    """Whether a 101 answers the handshake that expects `accept`."""
    cdef Head parsed
    _alive = parse(&parsed, head, False, 100)
    return bool(is_websocket_answer(&parsed, accept))


def route_and_hash(RouteTable table, head: bytes):
    """`(route, hash)` of a request: None for no route, and None where the route's policies found nothing to hash."""
    cdef Head parsed
    cdef RequestFacts facts
    cdef PeerAddress client
    cdef Route route
    cdef uint64_t hash = 0
    _alive = parse(&parsed, head, True, 100)
    memset(&client, 0, sizeof(client))
    memset(&facts, 0, sizeof(facts))
    facts.head = &parsed
    facts.remote = &client
    facts.fd = -1
    if read_target(&parsed, True, &facts.path, &facts.authority) != TARGET_OK:
        raise ValueError("bad")
    check_referer(&parsed)
    route = table.find(&facts)
    if route is None or not hash_policies_of(route, route.cluster).hash(&facts, &hash, []):
        return route, None
    return route, hash


def traced_hash(HashPolicies policies, head: bytes, client: str = "", fd: int = -1):
    """`(hash, cookies, steps)` of a request: None for no hash, the Set-Cookie values, what each policy found.

    `client` is the trusted address without a port, `fd` the connection whose ends a new cookie names.
    """
    cdef Head parsed
    cdef RequestFacts facts
    cdef PeerAddress address
    cdef uint64_t hash = 0
    cdef bytes packed
    _alive = parse(&parsed, head, True, 100)
    memset(&facts, 0, sizeof(facts))
    memset(&address, 0, sizeof(address))
    if client:
        ip = ip_address(client)
        packed = ip.packed
        address.family = ip.version
        memcpy(address.ip, <const char *> packed, len(packed))
    facts.head, facts.remote, facts.fd = &parsed, &address, fd
    if read_target(&parsed, True, &facts.path, &facts.authority) != TARGET_OK:
        raise ValueError("bad")
    check_referer(&parsed)
    cookies = []
    has_hash = policies.hash(&facts, &hash, cookies)
    return hash if has_hash else None, cookies, policies.trace(&facts)


def allows_origin(CorsPolicy policy, origin: bytes):
    """Whether a CORS policy lets pages of an origin in."""
    return bool(policy.allows(Slice(origin, len(origin))))


def admits_origin(OriginPolicy policy, head: bytes, is_engine_io: bool = False):
    """Whether a route with this policy is open to a request with that head."""
    cdef Head parsed
    cdef bytearray copy = parse(&parsed, head, True, 100)
    cdef bint is_handshake = read_upgrade(&parsed) == UPGRADE_WEBSOCKET
    cdef bint admitted = policy.admits(&parsed, is_handshake, is_engine_io)
    copy.clear()
    return bool(admitted)


def changed_heads(rules, request: bytes, response: bytes, room: int = 4096, **numbers):
    """The fields of both heads, as pairs, after the header rules; None for a head that has no room for them.

    `rules` are HeaderRules in their order, `numbers` those of LogFacts; the upstream host is 10.0.0.1:80.
    """
    cdef Head parsed
    cdef RequestFacts facts
    cdef LogFacts told
    cdef Room space
    cdef KeptValues kept
    cdef tuple levels = tuple(rules)
    cdef bytearray values = bytearray(room)
    memset(&facts, 0, sizeof(facts))
    memset(&told, 0, sizeof(told))
    told.response_code = numbers.get("response_code", 0)
    told.start_us = numbers.get("start_us", 0)
    told.protocol = 11
    facts.head = &parsed
    _alive = parse(&parsed, request, True, 100)
    read_target(&parsed, True, &facts.path, &facts.authority)
    kept = keep_for_response(levels, &facts)
    space = Room(values, room, 0)
    first = fields_of(&parsed) if change_request(levels, &facts, &told, &space) else None
    _alive_too = parse(&parsed, response, False, 100)
    told.upstream_host = Slice(b"10.0.0.1:80", 11)
    space.used = 0
    second = fields_of(&parsed) if change_response(levels, &parsed, kept, &told, &space) else None
    return first, second


cdef list fields_of(Head *head):
    cdef int i
    return [
        (text(head.fields[i].name), text(head.fields[i].value)) for i in range(head.count) if head.fields[i].name.length
    ]


def client_of(ClientAddresses addresses, head: bytes, peer: bytes):
    """`(address, is_internal)`: who is trusted to have sent this request over a connection from the IP `peer`."""
    cdef Head parsed
    cdef PeerAddress direct, client
    cdef char written[64]
    _alive = parse(&parsed, head, True, 100)
    if not parse_ip(peer, len(peer), &direct):
        raise ValueError("no address")
    direct.port = 1234
    is_internal = bool(addresses.find(&parsed, &direct, &client))
    length = format_address(&client, written, sizeof(written))
    return written[:length], is_internal
