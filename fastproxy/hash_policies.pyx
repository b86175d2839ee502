"""What of a request a hash policy hashes (Envoy: RouteAction.HashPolicy)."""

from libc.string cimport memcmp

from fastproxy._ring cimport xx_hash_64
from fastproxy.addresses cimport PeerAddress, format_address, format_ip, read_address
from fastproxy.http1 cimport is_joined
from fastproxy.slices cimport Field
from fastproxy.syscalls cimport getpeername, getsockname, memchr, sockaddr, sockaddr_storage, socklen_t

from fastproxy import model as models
from fastproxy.regexes import Regex, Substitution


cdef class HashPolicy:
    """One policy: what all kinds have in common."""

    def __init__(self, model, name):
        self.terminal = model.terminal
        self.name = name

    cdef bint find(self, const RequestFacts *facts, uint64_t *hash, list cookies) except -1:
        """Put the hash of what this policy is about into `hash`; False where the request has no such thing."""
        cdef char scratch[64]
        cdef Slice value
        if not self.read(facts, scratch, &value):
            return False
        hash[0] = xx_hash_64(value.data, value.length, 0)
        return True

    cdef list values(self, const RequestFacts *facts, list cookies):
        """What is hashed, one value after the other, the hash of one being the seed of the next; None: nothing."""
        cdef char scratch[64]
        cdef Slice value
        return [value.data[:value.length]] if self.read(facts, scratch, &value) else None

    cdef bint read(self, const RequestFacts *facts, char *scratch, Slice *value) noexcept:
        """The one value, borrowed from the request or written to `scratch`; False where there is none."""
        return False


cdef bint chain(list values, uint64_t *hash) except -1:
    """The hash of several values, each hash the seed of the next."""
    hash[0] = 0
    for value in values:
        hash[0] = xx_hash_64(value, len(value), hash[0])
    return True


cdef class HeaderPolicy(HashPolicy):
    """Every line of a request header, or a pseudo header."""

    cdef bytes header_name
    cdef object regex, substitution

    def __init__(self, model):
        super().__init__(model, f'header "{model.header_name.lower()}"')
        self.header_name = model.header_name.lower().encode()
        if model.regex is not None:
            self.regex, self.substitution = Regex(model.regex), Substitution(model.substitution)

    cdef bint find(self, const RequestFacts *facts, uint64_t *hash, list cookies) except -1:
        cdef Slice value
        cdef int lines = read_header(facts, self.header_name, len(self.header_name), &value)
        if lines == 0:
            return False
        if lines > 1 or self.regex is not None:
            return chain(self.values(facts, cookies), hash)
        hash[0] = xx_hash_64(value.data, value.length, 0)
        return True

    cdef list values(self, const RequestFacts *facts, list cookies):
        """The lines sorted after their rewriting; those that Envoy joins are one."""
        cdef Slice value
        cdef int lines = read_header(facts, self.header_name, len(self.header_name), &value)
        if lines == 0:
            return None
        found = self.all_lines(facts.head) if lines > 1 else [value.data[:value.length]]
        if self.regex is not None:
            found = [self.regex.replace_all(line, self.substitution) for line in found]
        return sorted(found)

    cdef list all_lines(self, Head *head):
        cdef Field *field
        cdef int i
        cdef bint joined = False
        found = []
        for i in range(head.count):
            field = &head.fields[i]
            if field.name.data[:field.name.length] == self.header_name:
                found.append(field.value.data[:field.value.length])
                joined = is_joined(field.id)
        return [b",".join(filter(None, found))] if joined else found


cdef int read_header(const RequestFacts *facts, const char *name, size_t length, Slice *value) noexcept nogil:
    """How many lines a header has, counted up to two, and the first of them."""
    cdef const Head *head = facts.head
    cdef int i, lines = 0
    if name[0] == c":":
        return read_pseudo_header(facts, name, length, value)
    for i in range(head.count):
        if head.fields[i].name.length == length and memcmp(head.fields[i].name.data, name, length) == 0:
            lines += 1
            if lines > 1:
                break
            value[0] = head.fields[i].value
    return lines


cdef bint read_pseudo_header(const RequestFacts *facts, const char *name, size_t length, Slice *value) noexcept nogil:
    if length == 5 and memcmp(name, b":path", 5) == 0:
        value[0] = facts.path
    elif length == 10 and memcmp(name, b":authority", 10) == 0:
        value[0] = facts.authority
    elif length == 7 and memcmp(name, b":method", 7) == 0:
        value[0] = facts.head.method
    else:
        return False
    return True


cdef class QueryParameterPolicy(HashPolicy):
    """The first query parameter of a name, as it was sent."""

    cdef bytes parameter

    def __init__(self, model):
        super().__init__(model, f'query parameter "{model.name}"')
        self.parameter = model.name.encode()

    cdef bint read(self, const RequestFacts *facts, char *scratch, Slice *value) noexcept:
        return read_query(facts.path, self.parameter, len(self.parameter), value)


cdef class SourceIpPolicy(HashPolicy):
    """The text of the client's IP address, as far as it is trusted."""

    def __init__(self, model):
        super().__init__(model, "source IP")

    cdef bint read(self, const RequestFacts *facts, char *scratch, Slice *value) noexcept:
        if facts.remote == NULL or facts.remote.family == 0:
            return False
        value.length = format_ip(facts.remote, scratch, 64)
        value.data = scratch
        return True


cdef class CookiePolicy(HashPolicy):
    """The first cookie of a name. With a ttl one is made where it is missing: the same on all of a connection."""

    cdef bytes cookie, attributes
    cdef bint is_made

    def __init__(self, model):
        super().__init__(model, f'cookie "{model.name}"')
        self.cookie = model.name.encode()
        self.is_made = model.ttl_s is not None
        max_age = f"; Max-Age={int(model.ttl_s)}" if self.is_made and int(model.ttl_s) else ""
        path = f"; Path={model.path}" if model.path else ""
        others = "".join(f"; {name}={value}" if value else f"; {name}" for name, value in model.attributes)
        self.attributes = f'"{max_age}{path}{others}; HttpOnly'.encode()

    cdef bint read(self, const RequestFacts *facts, char *scratch, Slice *value) noexcept:
        return read_cookie(facts.head, self.cookie, len(self.cookie), value) and value.length > 0

    cdef bint find(self, const RequestFacts *facts, uint64_t *hash, list cookies) except -1:
        if HashPolicy.find(self, facts, hash, cookies):
            return True
        made = self.make(facts.fd, cookies) if self.is_made else None
        return made is not None and chain([made], hash)

    cdef list values(self, const RequestFacts *facts, list cookies):
        found = HashPolicy.values(self, facts, cookies)
        if found is not None or not self.is_made:
            return found
        made = self.make(facts.fd, cookies)
        return None if made is None else [made]

    cdef bytes make(self, int fd, list cookies):
        """The value of a new cookie: the hash of both ends of the connection. None where there is no connection."""
        cdef char text[128]
        cdef int length
        length = format_ends(fd, text)
        if length < 0:
            return None
        made = b"%016x" % xx_hash_64(text, length, 0)
        if cookies is not None:
            cookies.append(self.cookie + b'="' + made + self.attributes)
        return made


cdef int format_ends(int fd, char *text) noexcept nogil:
    """Write the addresses of a connection's peer and of its own end; the length, -1 where there is no connection."""
    cdef sockaddr_storage source
    cdef socklen_t size = sizeof(source)
    cdef PeerAddress address
    cdef int length
    if fd < 0 or getpeername(fd, <sockaddr *> &source, &size) < 0:
        return -1
    read_address(&address, &source)
    length = format_address(&address, text, 64)
    size = sizeof(source)
    if getsockname(fd, <sockaddr *> &source, &size) < 0:
        return -1
    read_address(&address, &source)
    return length + format_address(&address, text + length, 64)


cdef class FilterStatePolicy(HashPolicy):
    """An object that a filter has left, where it is one that can be hashed."""

    cdef bytes key

    def __init__(self, model):
        super().__init__(model, f'filter state "{model.key}"')
        self.key = model.key.encode()

    cdef bint read(self, const RequestFacts *facts, char *scratch, Slice *value) noexcept:
        cdef bytes found
        if facts.filter_state == NULL:
            return False
        found = (<dict> facts.filter_state).get(self.key)
        if found is None:
            return False
        value.data, value.length = found, len(found)
        return True


# hot

cdef bint read_cookie(const Head *head, const char *name, size_t length, Slice *value) noexcept nogil:
    """The first cookie of a name in all Cookie lines, without its quotes."""
    cdef const Field *field
    cdef const char *at
    cdef const char *end
    cdef const char *part_end
    cdef const char *equal
    cdef int i
    for i in range(head.count):
        field = &head.fields[i]
        if field.name.length != 6 or memcmp(field.name.data, b"cookie", 6) != 0:
            continue
        at, end = field.value.data, field.value.data + field.value.length
        while at < end:
            part_end = <const char *> memchr(at, c";", end - at)
            if part_end == NULL:
                part_end = end
            while at < part_end and at[0] == c" ":
                at += 1
            equal = <const char *> memchr(at, c"=", part_end - at)
            if equal != NULL and <size_t> (equal - at) == length and memcmp(at, name, length) == 0:
                value.data, value.length = equal + 1, part_end - equal - 1
                if value.length > 1 and value.data[0] == c'"' and (part_end - 1)[0] == c'"':
                    value.data += 1
                    value.length -= 2
                return True
            at = part_end + 1
    return False


cdef bint read_query(Slice path, const char *name, size_t length, Slice *value) noexcept nogil:
    """The first query parameter of a name, undecoded; one without `=` is empty."""
    cdef const char *end = path.data + path.length
    cdef const char *at = <const char *> memchr(path.data, c"?", path.length)
    cdef const char *part_end
    cdef const char *equal
    while at != NULL and at < end:
        at += 1  # behind `?` or `&`
        part_end = <const char *> memchr(at, c"&", end - at)
        if part_end == NULL:
            part_end = end
        equal = <const char *> memchr(at, c"=", part_end - at)
        if equal == NULL:
            equal = part_end
        if <size_t> (equal - at) == length and memcmp(at, name, length) == 0:
            value.data = equal + 1 if equal < part_end else part_end
            value.length = part_end - value.data
            return True
        at = part_end
    return False

# end hot


KINDS = {
    models.HeaderHashPolicy: HeaderPolicy,
    models.CookieHashPolicy: CookiePolicy,
    models.QueryParameterHashPolicy: QueryParameterPolicy,
    models.SourceIpHashPolicy: SourceIpPolicy,
    models.FilterStateHashPolicy: FilterStatePolicy,
}


cdef HashPolicy new_policy(model):
    """What acts on a policy of the model."""
    return KINDS[type(model)](model)
