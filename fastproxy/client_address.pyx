"""Who is asking, as far as the configuration trusts what is said about it.

Follows Envoy's ConnectionManagerUtility::mutateRequestHeaders and its extensions for the original address. With
use_remote_address the client is the peer, or what the N-th trusted proxy in x-forwarded-for says; without it, what the
configured detections find, else the peer. A request is internal when nobody else stands in x-forwarded-for and the
address is one of the internal ones.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcmp

from fastproxy.addresses cimport contains, parse_ip, parse_range
from fastproxy.http1 cimport H_X_FORWARDED_FOR
from fastproxy.slices cimport Field

cdef extern from "<string.h>" nogil:
    void *memrchr(const void *data, int byte, size_t length)

cdef enum Found:
    FOUND_NONE
    FOUND
    FOUND_ALONE  # no other element stands before it


cdef class ClientAddresses:
    """The settings of one connection manager."""

    def __init__(self, model):
        detections = model.original_ip_detection
        self.use_remote_address = model.use_remote_address
        self.hops = model.xff_num_trusted_hops
        self.names = [each.header_name.lower().encode() for each in detections]
        self.detections = <Detection *> calloc(len(detections) + 1, sizeof(Detection))
        self.internal = <CidrRange *> calloc(len(model.internal_addresses) + 1, sizeof(CidrRange))
        if self.detections == NULL or self.internal == NULL:
            raise MemoryError
        for each, name in zip(detections, self.names, strict=True):
            self.detections[self.detection_count] = Detection(
                Slice(<bytes> name, len(name)), each.xff_num_trusted_hops, each.is_trusted)
            self.detection_count += 1
        if not detections:
            self.detections[0].hops = self.hops
            self.detection_count = 1
        for text in model.internal_addresses:
            if not parse_range(&self.internal[self.internal_count], text.encode()):
                raise ValueError(f"no range of addresses: {text}")
            self.internal_count += 1

    def __dealloc__(self):
        free(self.detections)
        free(self.internal)

    # hot

    cdef bint find(self, const Head *head, const PeerAddress *peer, PeerAddress *remote) noexcept nogil:
        """Fill in the trusted address of the client; whether the request is internal."""
        cdef bint may_be_internal
        cdef int i
        remote[0] = peer[0]
        if self.use_remote_address:
            may_be_internal = not head.seen >> <int> H_X_FORWARDED_FOR & 1
            if self.hops and not may_be_internal:
                read_forwarded_for(head, self.hops - 1, remote)
        else:
            may_be_internal = self.detect(head, remote)
        if may_be_internal:
            for i in range(self.internal_count):
                if contains(&self.internal[i], remote):
                    return True
        return False

    cdef bint detect(self, const Head *head, PeerAddress *remote) noexcept nogil:
        """Ask the detections in turn; whether the address that one found may make the request internal."""
        cdef Detection *each
        cdef Found found
        cdef int i
        for i in range(self.detection_count):
            each = &self.detections[i]
            if each.header_name.length:
                if read_header(head, each.header_name, remote):
                    return each.is_trusted
            elif head.seen >> <int> H_X_FORWARDED_FOR & 1:
                found = read_forwarded_for(head, each.hops, remote)
                if found != FOUND_NONE:
                    return found == FOUND_ALONE and each.hops == 0
        return False


cdef Found read_forwarded_for(const Head *head, int skipped, PeerAddress *remote) noexcept nogil:
    """Take the last element of x-forwarded-for but so many; `remote` stays as it is where there is no address."""
    cdef const Field *field
    cdef const char *comma
    cdef size_t length
    cdef int i = head.count
    while i > 0:
        i -= 1
        field = &head.fields[i]
        if field.id != H_X_FORWARDED_FOR or field.value.length == 0:
            continue
        length = field.value.length
        while True:
            comma = <const char *> memrchr(field.value.data, c",", length)
            if skipped == 0:
                return read_element(field.value.data, length, comma, remote, i == head.first[<int> H_X_FORWARDED_FOR])
            skipped -= 1
            if comma == NULL:
                break
            length = comma - field.value.data
    return FOUND_NONE


cdef Found read_element(
    const char *data, size_t length, const char *comma, PeerAddress *remote, bint is_first_line
) noexcept nogil:
    """The address behind the comma, white space around it left out."""
    cdef const char *at = data if comma == NULL else comma + 1
    cdef const char *end = data + length
    cdef PeerAddress read
    while at < end and (at[0] == c" " or at[0] == c"\t"):
        at += 1
    while end > at and ((end - 1)[0] == c" " or (end - 1)[0] == c"\t"):
        end -= 1
    if not parse_ip(at, end - at, &read):
        return FOUND_NONE
    remote[0] = read
    return FOUND_ALONE if comma == NULL and is_first_line else FOUND


cdef bint read_header(const Head *head, Slice name, PeerAddress *remote) noexcept nogil:
    """Take the address that is the whole first value of a header."""
    cdef PeerAddress read
    cdef const Field *field
    cdef int i
    for i in range(head.count):
        field = &head.fields[i]
        if field.name.length == name.length and memcmp(field.name.data, name.data, name.length) == 0:
            if not parse_ip(field.value.data, field.value.length, &read):
                return False
            remote[0] = read
            return True
    return False

# end hot
