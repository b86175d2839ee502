"""What the connection manager makes of a request's path and authority before anything looks at them.

The rules are those of Envoy 1.40, found by asking it: first escaped slashes, then dot segments and escapes (RFC 3986
section 6.2.2), then repeated slashes, each with the outcome of the one before; the query is never touched. Then the
authority: first its trailing dot, then its port. Paths begin with a slash and hold visible ASCII.
"""

from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, memmove

from fastproxy.addresses cimport PeerAddress, read_local_address
from fastproxy.model import EscapedSlashesAction, StripPort

cdef enum ByteClass:
    IS_PLAIN = 1  # stays as it is
    IS_UNRESERVED = 2  # is not to be escaped

cdef enum:
    GROWTH = 3  # an escape has three bytes
    MAX_UINT32 = 0xFFFFFFFF

cdef unsigned char CLASSES[256]
cdef signed char HEX_VALUES[256]
cdef const char *HEX_DIGITS = b"0123456789ABCDEF"


cdef int fill_tables() except -1:
    cdef int c
    for c in range(256):
        HEX_VALUES[c] = int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else -1
    for c in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~":
        CLASSES[c] = IS_PLAIN | IS_UNRESERVED
    for c in b"!#$&'()*+,/:;=?@[]":
        CLASSES[c] = IS_PLAIN


fill_tables()

OUTCOMES = {PATH_PASSES: "passes", PATH_REJECTED: "rejected", PATH_REDIRECTED: "redirected"}


cdef class Normalization:
    """Normalizes as a model.Normalization says; `max_head_bytes` is what path and authority are never longer than."""

    def __init__(self, model, size_t max_head_bytes):
        self.normalize_path = model.normalize_path
        self.merge_slashes = model.merge_slashes
        self.unescapes_slashes = model.escaped_slashes != EscapedSlashesAction.KEEP_UNCHANGED
        self.when_unescaped = PATH_PASSES
        if model.escaped_slashes == EscapedSlashesAction.REJECT_REQUEST:
            self.when_unescaped = PATH_REJECTED
        elif model.escaped_slashes == EscapedSlashesAction.UNESCAPE_AND_REDIRECT:
            self.when_unescaped = PATH_REDIRECTED
        self.strips_dot = model.strip_trailing_host_dot
        self.strips_port = model.strip_port != StripPort.NONE
        self.strips_any_port = model.strip_port == StripPort.ANY
        self.room = max_head_bytes
        free(self.text)
        self.text = <char *> malloc(max_head_bytes * (GROWTH + 2))
        if self.text == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.text)

    # hot

    cdef Normalized path(self, Slice *path) noexcept nogil:
        """Normalize a path; where it is rejected it is left as the step before has made it."""
        cdef char *unescaped = self.text + self.room
        cdef char *target = unescaped + self.room
        cdef const char *query = <const char *> memchr(path.data, c"?", path.length)
        cdef const char *source = path.data
        cdef Normalized outcome = PATH_PASSES
        cdef size_t bare, length, query_bytes
        if path.length > self.room:
            return PATH_REJECTED
        if query == NULL:
            query = path.data + path.length
        bare = length = query - path.data
        query_bytes = path.length - bare
        if self.unescapes_slashes:
            length = unescape_slashes(source, bare, unescaped)
            if length != bare:
                outcome = self.when_unescaped
                source = unescaped
                memcpy(unescaped + length, query, query_bytes)
                path[0] = Slice(unescaped, length + query_bytes)
        if outcome == PATH_REJECTED:
            return outcome
        if self.normalize_path:
            length = canonicalize(source, length, target)
            if length == 0:
                return PATH_REJECTED
        else:
            memcpy(target, source, length)
        if self.merge_slashes:
            length = merge(target, length)
        memcpy(target + length, query, query_bytes)
        path[0] = Slice(target, length + query_bytes)
        return outcome

    cdef void authority(self, Slice *authority, int fd) noexcept nogil:
        """Strip what is to be stripped; `fd` is the connection whose own port may stand there."""
        if self.strips_dot:
            self.strip_dot(authority)
        if self.strips_port:
            self.strip_port(authority, fd)

    cdef void strip_dot(self, Slice *authority) noexcept nogil:
        """Remove the last dot when it ends the authority, or when a colon follows it."""
        cdef const char *dot = find_last(authority[0], c".")
        cdef size_t before, behind
        if dot == NULL or authority.length > self.room:
            return
        before = dot - authority.data
        behind = authority.length - before - 1
        if behind == 0:
            authority.length = before
        elif dot[1] == c":":
            memcpy(self.text, authority.data, before)
            memcpy(self.text + before, dot + 1, behind)
            authority[0] = Slice(self.text, before + behind)

    cdef void strip_port(self, Slice *authority, int fd) noexcept nogil:
        """Remove the port, or only that which the connection has on our side."""
        cdef PeerAddress local
        cdef const char *colon = find_last(authority[0], c":")
        cdef const char *bracket = find_last(authority[0], c"]")
        cdef uint64_t port = 0
        if colon == NULL or bracket > colon or not read_port(colon + 1, authority.data + authority.length, &port):
            return
        if not self.strips_any_port:
            read_local_address(&local, fd)
            if local.family == 0 or port != local.port:
                return
        authority.length = colon - authority.data

    # end hot

    def path_of(self, path: bytes):
        """What becomes of a path, and how it reads then."""
        cdef Slice slice = Slice(path, len(path))
        outcome = OUTCOMES[self.path(&slice)]
        return outcome, slice.data[:slice.length]

    def authority_of(self, authority: bytes, fd: int = -1):
        """What becomes of an authority, on the connection `fd`."""
        cdef Slice slice = Slice(authority, len(authority))
        self.authority(&slice, fd)
        return slice.data[:slice.length]


# hot

cdef inline int escaped(const char *at, const char *end) noexcept nogil:
    """The byte that an escape at the percent sign `at` stands for; -1: that is no escape."""
    cdef int high, low
    if end - at < 3:
        return -1
    high = HEX_VALUES[<unsigned char> at[1]]
    low = HEX_VALUES[<unsigned char> at[2]]
    return high << 4 | low if high >= 0 and low >= 0 else -1


cdef size_t unescape_slashes(const char *source, size_t length, char *target) noexcept nogil:
    """Write the path with %2F and %5C decoded; its length."""
    cdef const char *end = source + length
    cdef const char *percent = <const char *> memchr(source, c"%", length)
    cdef char *out = target
    cdef int value
    while percent != NULL:
        value = escaped(percent, end)
        memcpy(out, source, percent - source)
        out += percent - source
        source = percent + 1
        out[0] = c"%"
        if value == c"/" or value == c"\\":
            out[0] = <char> value
            source = percent + 3
        out += 1
        percent = <const char *> memchr(source, c"%", end - source)
    memcpy(out, source, end - source)
    return out + (end - source) - target


cdef size_t canonicalize(const char *at, size_t length, char *target) noexcept nogil:
    """Write the path without dot segments, escaped where it must be and only there; its length, 0: it is rejected."""
    cdef const char *end = at + length
    cdef const char *behind = NULL
    cdef char *out = target
    cdef char *lone = NULL  # the last percent sign written that begins no escape
    cdef int value, dots
    while at < end:
        if out > target and (out - 1)[0] == c"/":
            dots = dot_segment(at, end, &behind)
            if dots:
                out = parent(target, out) if dots == 2 else out
                lone = NULL if lone >= out else lone
                at = behind
                continue
        if CLASSES[<unsigned char> at[0]] & IS_PLAIN:
            out[0] = at[0]
            out += 1
        elif at[0] == c"\\":
            out[0] = c"/"
            out += 1
        elif at[0] != c"%":
            out = write_escape(out, at[0])
        else:
            value = escaped(at, end)
            if value == 0:
                return 0
            if value < 0:
                lone = out
                out[0] = c"%"
                out += 1
            elif CLASSES[value] & IS_UNRESERVED:
                out[0] = <char> value
                out = defuse(lone, out + 1, at + 3, end)
                at += 2
            else:
                memcpy(out, at, 3)
                out += 3
                at += 2
        at += 1
    return out - target


cdef inline int read_dot(const char *at, const char *end) noexcept nogil:
    """How many bytes a dot takes, escaped or not; 0: there is none."""
    if at < end and at[0] == c".":
        return 1
    return 3 if at < end and at[0] == c"%" and escaped(at, end) == c"." else 0


cdef int dot_segment(const char *at, const char *end, const char **behind) noexcept nogil:
    """The dots of the segment that begins at `at`, when it has nothing else, else 0; `behind` is behind its slash."""
    cdef int dots = 0
    cdef int dot = read_dot(at, end)
    while dot and dots < 2:
        dots += 1
        at += dot
        dot = read_dot(at, end)
    if at < end and at[0] != c"/" and at[0] != c"\\":
        return 0
    behind[0] = at + 1 if at < end else at
    return dots


cdef char *parent(char *target, char *out) noexcept nogil:
    """Behind the slash before the last segment of what was written, which ends in one; the first slash stays."""
    if out - target > 1:
        out -= 1
        while (out - 1)[0] != c"/":
            out -= 1
    return out


cdef char *write_escape(char *out, char byte) noexcept nogil:
    out[0] = c"%"
    out[1] = HEX_DIGITS[<unsigned char> byte >> 4]
    out[2] = HEX_DIGITS[<unsigned char> byte & 15]
    return out + 3


cdef char *defuse(char *lone, char *out, const char *next, const char *end) noexcept nogil:
    """Escape a lone percent sign when a byte just decoded, last of what was written, has made an escape of it.

    It would be decoded by whoever normalizes again: %%300 stands for no byte, %00 does.
    """
    cdef size_t since = 0 if lone == NULL else out - lone
    cdef bint completes = since == 3 and HEX_VALUES[<unsigned char> (out - 2)[0]] >= 0
    cdef bint begins = since == 2 and next < end and HEX_VALUES[<unsigned char> next[0]] >= 0
    if not (completes or begins) or HEX_VALUES[<unsigned char> (out - 1)[0]] < 0:
        return out
    memmove(lone + 3, lone + 1, since - 1)
    lone[1] = c"2"
    lone[2] = c"5"
    return out + 2


cdef size_t merge(char *path, size_t length) noexcept nogil:
    """Write slashes that follow each other as one; of nothing but slashes Envoy leaves two. The length."""
    cdef size_t at
    cdef size_t written = 1
    for at in range(1, length):
        if path[at] != c"/" or path[written - 1] != c"/":
            path[written] = path[at]
            written += 1
    return 2 if written == 1 and length > 1 else written


cdef const char *find_last(Slice text, char byte) noexcept nogil:
    cdef size_t left = text.length
    while left:
        left -= 1
        if text.data[left] == byte:
            return text.data + left
    return NULL


cdef bint read_port(const char *at, const char *end, uint64_t *port) noexcept nogil:
    """Whether there stands a number of 32 bits and nothing else; as with Envoy it may have a sign and leading zeros."""
    if at < end and at[0] == c"+":
        at += 1
    if at == end:
        return False
    while at < end:
        if not c"0" <= at[0] <= c"9":
            return False
        port[0] = port[0] * 10 + <uint64_t> (at[0] - c"0")
        if port[0] > MAX_UINT32:
            return False
        at += 1
    return True

# end hot
