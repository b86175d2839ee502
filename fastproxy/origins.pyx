"""Which pages may use a route, by the Origin that their browsers name (RFC 6454 section 7, RFC 6455 section 10.2).

A browser opens a WebSocket, cookies included, for whatever page asks for it, and asks no CORS policy: only the Origin
that it names tells the page of the site from that of an attacker. What names none is no script of another page that
could read the answer, but for the scripts with which Engine.IO 3 polls (JSONP); those tell by Sec-Fetch-Site.
"""

from libc.string cimport memcmp, strlen

from fastproxy.http1 cimport H_HOST, H_ORIGIN, equals, header
from fastproxy.syscalls cimport memmem, strncasecmp

ANY = "*"
SAME = "same"
BELOW = "://*."


cdef class OriginPattern:
    """An origin as model_routes.OriginPolicy writes it."""

    def __init__(self, text):
        scheme, below, host = text.partition(BELOW)
        self.is_below = bool(below)
        self.start = (scheme + "://" if below else text).encode()
        self.end = ("." + host).encode() if below else b""

    cdef bint fits(self, Slice origin) noexcept:
        cdef size_t start = len(self.start), end = len(self.end)
        if not self.is_below:
            return origin.length == start and is_same(origin.data, self.start, start)
        if origin.length <= start + end or not is_same(origin.data, self.start, start):
            return False
        if not is_same(origin.data + origin.length - end, self.end, end):
            return False
        return are_labels(Slice(origin.data + start, origin.length - start - end))


cdef bint is_same(const char *text, const char *other, size_t length) noexcept nogil:
    return strncasecmp(text, other, length) == 0


cdef bint are_labels(Slice text) noexcept nogil:
    """Whether these are labels of a name and nothing that ends a host."""
    cdef size_t i
    cdef char c
    for i in range(text.length):
        c = text.data[i]
        if not (c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c"0" <= c <= c"9" or c == c"-" or c == c"_" or c == c"."):
            return False
    return text.length > 0 and text.data[0] != c"."


cdef class OriginPolicy:
    """A policy with its origins ready to be compared."""

    def __init__(self, model):
        self.model = model
        self.is_required = model.is_required
        self.any = ANY in model.origins
        self.same = SAME in model.origins
        self.patterns = tuple(OriginPattern(text) for text in model.origins if text not in (ANY, SAME))

    cdef bint admits(self, const Head *head, bint is_handshake, bint is_engine_io) noexcept:
        """Whether a request may use the route. Without an Origin it may, unless it is one of another page all the same.
        """
        cdef const Slice *origin = header(head, H_ORIGIN)
        if origin != NULL:
            return not head.repeated >> <int> H_ORIGIN & 1 and (self.any or self.lists(head, origin[0]))
        if is_handshake:
            return not self.is_required
        return self.any or not is_engine_io or not is_of_other_page(head)

    cdef bint lists(self, const Head *head, Slice origin) noexcept:
        """Whether the list has this origin."""
        cdef OriginPattern pattern
        for pattern in self.patterns:
            if pattern.fits(origin):
                return True
        return self.same and is_origin_of(origin, header(head, H_HOST))


cdef bint is_of_other_page(const Head *head) noexcept:
    """Whether a browser says that a page of another origin asks (W3C Fetch Metadata)."""
    cdef int i
    for i in range(head.count):
        if head.fields[i].name.length == 14 and is_same(head.fields[i].name.data, b"sec-fetch-site", 14):
            return equals(head.fields[i].value, b"cross-site") or equals(head.fields[i].value, b"same-site")
    return False


cdef bint is_origin_of(Slice origin, const Slice *host) noexcept nogil:
    """Whether a page of this origin came from `host`, which names a port unless it is the scheme's own."""
    cdef const char *behind = <const char *> memmem(origin.data, origin.length, b"://", 3)
    cdef const char *port = b""
    cdef Slice page, named
    if behind == NULL or host == NULL or host.length == 0:
        return False
    page = Slice(behind + 3, origin.data + origin.length - behind - 3)
    if equals(Slice(origin.data, behind - origin.data), b"https"):
        port = b":443"
    elif equals(Slice(origin.data, behind - origin.data), b"http"):
        port = b":80"
    page = without(page, port)
    named = without(host[0], port)
    return page.length == named.length and is_same(page.data, named.data, page.length)


cdef Slice without(Slice authority, const char *port) noexcept nogil:
    """An authority without this port at its end."""
    cdef size_t length = strlen(port)
    if authority.length > length and memcmp(authority.data + authority.length - length, port, length) == 0:
        return Slice(authority.data, authority.length - length)
    return authority
