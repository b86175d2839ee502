"""Which virtual host an authority belongs to.

Exact domain, longest `*suffix`, longest `prefix*`, `*`, without regard to case, the port significant (Envoy:
config.route.v3.VirtualHost.domains). A lookup hashes the authority, and its ends once for each length that occurs among
the patterns; how many virtual hosts there are makes no difference.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memrchr

from fastproxy.syscalls cimport strncasecmp

cdef enum:
    NONE = -1

cdef inline uint64_t digest(const char *text, size_t length) noexcept nogil:
    """FNV-1a of the text in lower case."""
    cdef uint64_t hash = 0xCBF29CE484222325
    cdef uint64_t prime = 0x100000001B3
    cdef unsigned char byte
    cdef size_t at
    for at in range(length):
        byte = <unsigned char> text[at]
        if c"A" <= byte <= c"Z":
            byte |= 32
        hash = (hash ^ byte) * prime
    return hash ^ hash >> 32


cdef class DomainSet:
    """Texts in lower case with a number each, found by hash."""

    def __cinit__(self, entries):
        cdef size_t size = 2
        while size < 2 * <size_t> len(entries):
            size *= 2
        lengths = sorted({len(text) for text, _ in entries}, reverse=True)
        self.texts = [text for text, _ in entries]
        self.places = <Domain *> calloc(size, sizeof(Domain))
        self.lengths = <size_t *> calloc(len(lengths) + 1, sizeof(size_t))
        if self.places == NULL or self.lengths == NULL:
            raise MemoryError
        self.mask = size - 1
        self.length_count = len(lengths)
        for at, length in enumerate(lengths):
            self.lengths[<Py_ssize_t> at] = length
        for text, owner in entries:
            self.add(text, owner)

    def __dealloc__(self):
        free(self.places)
        free(self.lengths)

    def add(self, bytes text, int owner):
        """Put a text of `texts` in its place."""
        cdef const char *data = text
        cdef size_t at = digest(data, len(text)) & self.mask
        while self.places[at].text != NULL:
            at = (at + 1) & self.mask
        self.places[at] = Domain(data, len(text), owner)

    cdef int find(self, const char *text, size_t length) noexcept nogil:
        """The number of a text, whatever its case; NONE when it is not in the set."""
        cdef size_t at = digest(text, length) & self.mask
        while self.places[at].text != NULL:
            if self.places[at].length == length and strncasecmp(self.places[at].text, text, length) == 0:
                return self.places[at].owner
            at = (at + 1) & self.mask
        return NONE

    cdef int find_prefix(self, Slice authority) noexcept nogil:
        """The number of the longest text that something follows in the authority."""
        cdef Py_ssize_t at
        cdef int found
        for at in range(self.length_count):
            if self.lengths[at] < authority.length:
                found = self.find(authority.data, self.lengths[at])
                if found != NONE:
                    return found
        return NONE

    cdef int find_suffix(self, Slice authority) noexcept nogil:
        """The number of the longest text that something comes before in the authority."""
        cdef Py_ssize_t at
        cdef int found
        for at in range(self.length_count):
            if self.lengths[at] < authority.length:
                found = self.find(authority.data + authority.length - self.lengths[at], self.lengths[at])
                if found != NONE:
                    return found
        return NONE


cdef class Domains:
    """The domains of all virtual hosts, given as a sequence of patterns for each."""

    def __init__(self, domains):
        exact, suffixes, prefixes, patterns, owners = [], [], [], [], []
        self.default = NONE
        for owner, of_host in enumerate(domains):
            for pattern in of_host:
                number = len(patterns)
                patterns.append(pattern)
                owners.append(owner)
                text = pattern.encode().lower()
                if text == b"*":
                    self.default = number
                elif text.startswith(b"*"):
                    suffixes.append((text[1:], number))
                elif text.endswith(b"*"):
                    prefixes.append((text[:len(text) - 1], number))
                else:
                    exact.append((text, number))
        self.patterns = tuple(patterns)
        self.owners = tuple(owners)
        self.exact = DomainSet(exact)
        self.suffixes = DomainSet(suffixes)
        self.prefixes = DomainSet(prefixes)

    cdef int find(self, Slice authority) noexcept nogil:
        """The number of the pattern that decides; -1: none does."""
        cdef int found = self.exact.find(authority.data, authority.length)
        if found == NONE and self.suffixes.length_count:
            found = self.suffixes.find_suffix(authority)
        if found == NONE and self.prefixes.length_count:
            found = self.prefixes.find_prefix(authority)
        return self.default if found == NONE else found


cdef Slice without_port(Slice authority) noexcept nogil:
    """The authority up to its port; the colons of an IPv6 address are none."""
    cdef const char *colon = <const char *> memrchr(authority.data, c":", authority.length)
    cdef const char *bracket = <const char *> memrchr(authority.data, c"]", authority.length)
    if colon == NULL or bracket != NULL and bracket > colon:
        return authority
    return Slice(authority.data, colon - authority.data)
