"""Descriptors of requests: what tells them apart where their rate is limited.

Envoy: config.route.v3.RateLimit. A descriptor is a tuple of entries, each a pair of a key and a value.
"""

from urllib.parse import unquote_to_bytes

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport calloc, free, strtod
from libc.string cimport memchr, memset

from fastproxy.addresses cimport PeerAddress, contains, format_ip, parse_ip, parse_range
from fastproxy.admission cimport TARGET_OK, read_target
from fastproxy.http1 cimport HEAD_OK, Head, parse_request
from fastproxy.matching import HeaderMatcher as make_header_matcher
from fastproxy.matching import QueryParameterMatcher as make_query_matcher
from fastproxy.matching cimport HeaderMatcher, QueryParameterMatcher
from fastproxy.model_descriptors import ActionKind as Kind
from fastproxy.request_texts import RequestText as make_request_text
from fastproxy.request_values cimport bare_length, is_shown, joined_line, next_line, pseudo_header, query_parameter
from fastproxy.slices cimport Slice

cdef enum:
    MAX_FIELDS = 500
    MOST_HITS = 1000000000  # Envoy's

KINDS = {
    Kind.FIXED: ACTION_FIXED, Kind.SOURCE_CLUSTER: ACTION_SOURCE_CLUSTER,
    Kind.DESTINATION_CLUSTER: ACTION_DESTINATION_CLUSTER, Kind.REQUEST_HEADER: ACTION_REQUEST_HEADER,
    Kind.QUERY_PARAMETER: ACTION_QUERY_PARAMETER, Kind.REMOTE_ADDRESS: ACTION_REMOTE_ADDRESS,
    Kind.MASKED_REMOTE_ADDRESS: ACTION_MASKED_REMOTE_ADDRESS, Kind.HEADER_MATCH: ACTION_HEADER_MATCH,
    Kind.QUERY_MATCH: ACTION_QUERY_MATCH, Kind.REMOTE_ADDRESS_MATCH: ACTION_ADDRESS_MATCH,
}


cdef class DescriptorAction:
    """Makes one entry. `model` is a model_descriptors.DescriptorAction, `service_cluster` what this proxy is called."""

    def __init__(self, model, service_cluster):
        self.kind = KINDS[model.kind]
        self.key = model.key.encode()
        self.value = (service_cluster if model.kind is Kind.SOURCE_CLUSTER else model.value).encode()
        self.name = model.name.encode()
        self.skip_if_absent = model.skip_if_absent
        self.expects_match = model.expects_match
        self.ipv4_bits, self.ipv6_bits = model.ipv4_bits, model.ipv6_bits
        if self.kind == ACTION_HEADER_MATCH:
            self.matchers = tuple(make_header_matcher(each) for each in model.headers)
        else:
            self.matchers = tuple(make_query_matcher(each) for each in model.query_parameters)
        if self.kind == ACTION_ADDRESS_MATCH:
            self.text = make_request_text(model.value)
            self.default_value = model.default_value.encode()
            self.set_ranges(model.ranges)

    def __dealloc__(self):
        free(self.ranges)

    def set_ranges(self, texts):
        self.ranges = <CidrRange *> calloc(len(texts) + 1, sizeof(CidrRange))
        if self.ranges == NULL:
            raise MemoryError
        for text in texts:
            if not parse_range(&self.ranges[self.range_count], text.encode()):
                raise ValueError(f"no range of addresses: {text}")
            self.range_count += 1

    cdef bint add(self, list entries, const RequestFacts *facts, bytes cluster) except -1:
        """Put the entry behind the others; False: the request has no such descriptor."""
        cdef bytes value = self.found(facts, cluster)
        if value is None:
            return self.skip_if_absent
        entries.append((self.key, value))
        return True

    cdef bytes found(self, const RequestFacts *facts, bytes cluster):
        """The value of the entry; None: there is none."""
        if self.kind == ACTION_REQUEST_HEADER:
            return header_text(facts, self.name)
        if self.kind == ACTION_QUERY_PARAMETER:
            return decoded_parameter(facts.path, self.name)
        if self.kind == ACTION_REMOTE_ADDRESS:
            return address_text(facts.remote)
        if self.kind == ACTION_MASKED_REMOTE_ADDRESS:
            return network_text(facts.remote, self.ipv4_bits if facts.remote.family == 4 else self.ipv6_bits)
        if self.kind == ACTION_DESTINATION_CLUSTER:
            return cluster
        if self.kind == ACTION_HEADER_MATCH or self.kind == ACTION_QUERY_MATCH:
            return self.value if self.matches(facts) == self.expects_match else None
        if self.kind == ACTION_ADDRESS_MATCH:
            if self.is_within(facts) != self.expects_match:
                return None
            return self.text.of(facts) or self.default_value or None
        return self.value

    cdef bint is_within(self, const RequestFacts *facts) noexcept nogil:
        """Whether the client's address lies in one of the ranges."""
        cdef int i
        for i in range(self.range_count):
            if contains(&self.ranges[i], facts.remote):
                return True
        return False

    cdef bint matches(self, const RequestFacts *facts) except -1:
        """Whether all matchers hold."""
        cdef QueryParameterMatcher by_parameter
        cdef bytes value
        for matcher in self.matchers:
            if self.kind == ACTION_HEADER_MATCH:
                if not (<HeaderMatcher> matcher).holds(facts):
                    return False
                continue
            by_parameter = matcher
            value = decoded_parameter(facts.path, by_parameter.name)
            if not by_parameter.fits(value is not None, Slice(b"", 0) if value is None else Slice(value, len(value))):
                return False
        return True


cdef class DescriptorRule:
    """Makes one descriptor of a request. `model` is a model_descriptors.DescriptorRule."""

    def __init__(self, model, service_cluster=""):
        self.actions = tuple(DescriptorAction(each, service_cluster) for each in model.actions)
        self.hits = model.hits
        self.hits_text = make_request_text(model.hits_format) if model.hits_format else None
        self.gives_back = model.gives_back
        self.tells_clients = model.tells_clients

    cdef tuple descriptor(self, const RequestFacts *facts, bytes cluster):
        """The entries; None: there is no such descriptor. `cluster` is the request's, None: it goes to none."""
        cdef DescriptorAction action
        cdef list entries = []
        for action in self.actions:
            if not action.add(entries, facts, cluster):
                return None
        return tuple(entries)

    cdef int64_t hits_of(self, const RequestFacts *facts) except -2:
        """How many tokens the request takes, or puts back; NO_HITS where a format makes no number of it."""
        return self.hits if self.hits_text is None else hits_in(self.hits_text.of(facts))

    def descriptor_of(self, head, source, cluster=None):
        """`descriptor` for Python: of the request whose whole head is given, from an IP address."""
        return self.ask(head, source, cluster)[0]

    def hits_of_request(self, head, source):
        """`hits_of` for Python."""
        return self.ask(head, source, None)[1]

    cdef tuple ask(self, bytes head, str source, bytes cluster):
        """What Python asks for of a request: its descriptor and its hits."""
        cdef bytearray copy = bytearray(head)
        cdef bytes address = source.encode()
        cdef RequestFacts facts
        cdef PeerAddress client
        cdef Head parsed
        memset(&facts, 0, sizeof(facts))
        memset(&client, 0, sizeof(client))
        if parse_request(&parsed, copy, len(copy), MAX_FIELDS) != HEAD_OK \
                or read_target(&parsed, True, &facts.path, &facts.authority) != TARGET_OK:
            raise ValueError("no request")
        parse_ip(address, len(address), &client)
        facts.head, facts.remote = &parsed, &client
        hits = self.hits_of(&facts)
        return self.descriptor(&facts, cluster), None if hits == NO_HITS else hits


cdef int64_t hits_in(bytes text) except -2:
    """The number that a text is, as Envoy reads it: any that C would, without its fraction; NO_HITS: it is none."""
    cdef bytes bare = text.strip(b" \t")
    cdef const char *start = bare
    cdef char *end = NULL
    cdef double number = strtod(start, &end)
    if not bare or end != start + len(bare) or not 0 <= number <= MOST_HITS:
        return NO_HITS
    return <int64_t> number


cdef bytes header_text(const RequestFacts *facts, bytes name):
    """The first line of a header, or the only one of a header whose lines are kept as one; None: there is none."""
    cdef Slice value
    cdef bytes joined
    cdef int line
    if name.startswith(b":"):
        return value.data[:value.length] if pseudo_header(&value, name, facts) else None
    line = next_line(facts.head, name, len(name), 0)
    if line < 0 or not is_shown(facts.head, name):
        return None
    joined = joined_line(facts.head, line)
    value = facts.head.fields[line].value
    return value.data[:value.length] if joined is None else joined


cdef bytes decoded_parameter(Slice path, bytes name):
    """The first query parameter of a name, both without percent-encoding; None: there is none."""
    cdef Slice value
    cdef size_t bare = bare_length(path)
    cdef bytes key, encoded
    if memchr(path.data + bare, c"%", path.length - bare) == NULL:
        return value.data[:value.length] if query_parameter(path, name, len(name), &value) else None
    for each in path.data[bare + 1:path.length].split(b"&"):
        key, _, encoded = each.partition(b"=")
        if unquote_to_bytes(key) == name:
            return unquote_to_bytes(encoded)
    return None


cdef bytes address_text(const PeerAddress *address):
    cdef char text[48]
    cdef int length = format_ip(address, text, sizeof(text))
    return text[:length] if length else None


cdef bytes network_text(const PeerAddress *address, int bits):
    """The network of so many bits that an address is in (RFC 4632 section 3.1)."""
    cdef PeerAddress network = address[0]
    cdef bytes first
    cdef int i, kept
    for i in range(16):
        kept = min(8, max(0, bits - 8 * i))
        network.ip[i] &= <uint8_t> (0xFF00 >> kept)
    first = address_text(&network)
    return None if first is None else b"%b/%d" % (first, bits)
