"""What a request must be before it is routed: its target, its authority, its wish to upgrade."""

from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcmp

from fastproxy.http1 cimport (
    H_CONNECTION, H_HOST, H_SEC_WEBSOCKET_ACCEPT, H_SEC_WEBSOCKET_KEY, H_UPGRADE, TOKEN_UPGRADE, bit, equals,
    has_token, header,
)
from fastproxy.syscalls cimport strncasecmp
from fastproxy.websocket_keys cimport ACCEPT_BYTES, KEY_BYTES, write_accept

cdef enum:
    MAX_PORT = 65535

cdef bint IN_AUTHORITY[256]
cdef bint IN_HOST[256]  # a name or an address of a URL
cdef bint IN_LITERAL[256]  # an address in brackets
cdef const char *ROOT = b"/"


cdef int fill_table() except -1:
    for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:[]@":
        IN_AUTHORITY[<int> byte] = True
    for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.":
        IN_HOST[<int> byte] = True
    for byte in b"0123456789abcdefABCDEF:.":
        IN_LITERAL[<int> byte] = True


fill_table()


# hot

cdef bint is_authority(Slice authority) noexcept nogil:
    """Whether every byte may stand in an authority (RFC 3986 section 3.2)."""
    cdef size_t i
    for i in range(authority.length):
        if not IN_AUTHORITY[<unsigned char> authority.data[i]]:
            return False
    return True


cdef bint ends_in_port(Slice authority) noexcept nogil:
    """Whether what follows the host is nothing, or a colon and digits (RFC 3986 section 3.2.3)."""
    cdef const char *at = authority.data
    cdef const char *end = at + authority.length
    if at < end and at[0] == c"[":
        at = <const char *> memchr(at, c"]", end - at)
        if at == NULL:
            return False
        at += 1
        if at < end and at[0] != c":":
            return False
    else:
        at = <const char *> memchr(at, c":", end - at)
    if at == NULL or at == end:
        return True
    at += 1
    while at < end and c"0" <= at[0] <= c"9":
        at += 1
    return at == end


cdef Target read_target(Head *head, bint allow_absolute_url, Slice *path, Slice *authority) noexcept nogil:
    """Path and authority of a request, from the target's origin or absolute form (RFC 9112 section 3.2).

    An authority in the target replaces the Host header; without either, `authority.data` is NULL.
    """
    cdef const Slice *host = header(head, H_HOST)
    authority.data = NULL
    authority.length = 0
    if host != NULL:
        if head.repeated >> <int> H_HOST & 1 or not is_authority(host[0]) or not ends_in_port(host[0]):
            return TARGET_BAD
        authority[0] = host[0]
    path[0] = head.target
    if memchr(head.target.data, c"#", head.target.length) != NULL:
        return TARGET_FRAGMENT
    if equals(head.method, b"connect"):
        return TARGET_BAD if memchr(head.target.data, c"/", head.target.length) != NULL else TARGET_UNROUTABLE
    if head.target.data[0] == c"/":
        return TARGET_OK
    if head.target.data[0] == c"*" and equals(head.method, b"options"):
        return TARGET_UNROUTABLE
    return read_absolute(head.target, allow_absolute_url, path, authority)

# end hot


cdef Target read_absolute(Slice target, bint allowed, Slice *path, Slice *authority) noexcept nogil:
    cdef const char *end = target.data + target.length
    cdef const char *at
    cdef size_t scheme
    if target.length > 7 and strncasecmp(target.data, b"http://", 7) == 0:
        scheme = 7
    elif target.length > 8 and strncasecmp(target.data, b"https://", 8) == 0:
        scheme = 8
    else:
        return TARGET_BAD
    if not allowed:
        return TARGET_UNROUTABLE
    at = target.data + scheme
    while at < end and at[0] != c"/" and at[0] != c"?":
        at += 1
    authority.data = target.data + scheme
    authority.length = at - authority.data
    if not is_authority(authority[0]) or not remove_user(authority) or not is_url_authority(authority[0]):
        return TARGET_BAD
    path[0] = Slice(at, end - at) if at < end else Slice(ROOT, 1)
    return TARGET_OK if path.data[0] == c"/" else TARGET_UNROUTABLE


cdef bint remove_user(Slice *authority) noexcept nogil:
    """Leave out the user that a URL may name before its host; False when there is no host then, or two users."""
    cdef const char *end = authority.data + authority.length
    cdef const char *at = <const char *> memchr(authority.data, c"@", authority.length)
    if at != NULL:
        authority[0] = Slice(at + 1, end - at - 1)
    return authority.length > 0 and memchr(authority.data, c"@", authority.length) == NULL


cdef bint is_url_authority(Slice authority) noexcept nogil:
    """Whether a URL may name this host and port. As Envoy, stricter than with Host: nobody checks a URL after us."""
    cdef const char *at = authority.data
    cdef const char *end = at + authority.length
    cdef bint is_literal = at < end and at[0] == c"["
    cdef int port = 0
    if not ends_in_port(authority) or (at < end and at[0] == c":"):
        return False
    at += is_literal
    while at < end and at[0] != c"]" and (is_literal or at[0] != c":"):
        if not (IN_LITERAL[<unsigned char> at[0]] if is_literal else IN_HOST[<unsigned char> at[0]]):
            return False
        at += 1
    at += is_literal + 1
    while at < end:
        port = port * 10 + at[0] - 48
        if port > MAX_PORT:
            return False
        at += 1
    return True


cdef UpgradeWish read_upgrade(const Head *head) noexcept nogil:
    """An upgrade takes both a Connection token `upgrade` and an Upgrade header; with one alone it is a plain request.

    `h2c` is passed over, as with Envoy: the request continues in HTTP/1.1.
    """
    cdef const Slice *upgrade = header(head, H_UPGRADE)
    if upgrade == NULL or not head.tokens & TOKEN_UPGRADE:
        return UPGRADE_NONE
    if not head.repeated >> <int> H_UPGRADE & 1:
        if equals(upgrade[0], b"websocket"):
            return UPGRADE_WEBSOCKET
        if equals(upgrade[0], b"h2c"):
            return UPGRADE_NONE
    return UPGRADE_REFUSED


cdef bint connection_names_trusted(const Head *head) noexcept nogil:
    """Whether Connection asks to remove a header by which the upstream tells who is asking."""
    cdef int i
    for i in range(head.count):
        if head.fields[i].id == H_CONNECTION:
            for name in TRUSTED:
                if has_token(head.fields[i].value, name):
                    return True
    return False


cdef const char *TRUSTED[3]
TRUSTED[0] = b"x-forwarded-for"
TRUSTED[1] = b"x-forwarded-host"
TRUSTED[2] = b"x-forwarded-proto"


cdef bytes websocket_accept(const Head *head):
    """The Sec-WebSocket-Accept that answers this handshake (RFC 6455 section 4.2.2); None for a malformed key."""
    cdef const Slice *key = header(head, H_SEC_WEBSOCKET_KEY)
    cdef char accept[28]  # ACCEPT_BYTES
    if key == NULL or key.length != KEY_BYTES or head.repeated >> <int> H_SEC_WEBSOCKET_KEY & 1:
        return None
    return accept[:ACCEPT_BYTES] if write_accept(key.data, accept) else None


cdef bint is_websocket_answer(const Head *head, bytes accept):
    """Whether a 101 answers our handshake (RFC 6455 section 4.1): upgrade, connection and accept are right, each said
    once, and nothing speaks of a body."""
    cdef const Slice *upgrade = header(head, H_UPGRADE)
    cdef const Slice *answer = header(head, H_SEC_WEBSOCKET_ACCEPT)
    cdef uint64_t once = bit(H_UPGRADE) | bit(H_SEC_WEBSOCKET_ACCEPT)
    if accept is None or upgrade == NULL or answer == NULL or not head.tokens & TOKEN_UPGRADE or head.repeated & once:
        return False
    if head.is_chunked or head.content_length > 0 or head.minor_version == 0:
        return False
    return equals(upgrade[0], b"websocket") and answer.length == <size_t> len(accept) \
        and memcmp(answer.data, <const char *> accept, answer.length) == 0
