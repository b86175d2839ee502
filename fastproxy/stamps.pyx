"""What the proxy stamps on messages: the date, request ids, its own address."""

import os

from libc.string cimport memset

from fastproxy.draws cimport draw
from fastproxy.slices cimport Slice
from fastproxy.syscalls cimport (
    AF_INET, CLOCK_REALTIME, clock_gettime, getrandom, gmtime_r, inet_ntop, sockaddr, sockaddr_in, strftime,
    time_t, timespec, tm,
)

cdef extern from "<ifaddrs.h>" nogil:
    cdef struct ifaddrs:
        ifaddrs *ifa_next
        sockaddr *ifa_addr
    int getifaddrs(ifaddrs **list)
    void freeifaddrs(ifaddrs *list)

cdef enum:
    CLOCK_CHECK_MS = 1000  # how often the wall clock is compared with the monotonic one


cdef class Stamps:
    """Caches what changes once a second, or never."""

    def __cinit__(self):
        self.local_ip = own_address()
        self.date_s = -1
        self.random_state = int.from_bytes(os.urandom(8), "little") | 1

    cdef int64_t epoch_us(self, uint64_t now_ms) noexcept nogil:
        """Microseconds since the epoch at `now_ms` of the monotonic clock, good to a millisecond."""
        cdef timespec now
        if self.checked_ms == 0 or now_ms - self.checked_ms > CLOCK_CHECK_MS:
            clock_gettime(CLOCK_REALTIME, &now)
            self.epoch_ms = now.tv_sec * 1000 + now.tv_nsec // 1000000 - <int64_t> now_ms
            self.checked_ms = now_ms
        return (self.epoch_ms + <int64_t> now_ms) * 1000

    cdef Slice date(self, uint64_t now_ms) noexcept nogil:
        """The value of a Date header (RFC 9110 section 5.6.7)."""
        cdef Slice text
        cdef tm parts
        cdef time_t now_s = self.epoch_us(now_ms) // 1000000
        if now_s != self.date_s:
            self.date_s = now_s
            gmtime_r(&now_s, &parts)
            strftime(self.date_text, sizeof(self.date_text), b"%a, %d %b %Y %H:%M:%S GMT", &parts)
        text.data = self.date_text
        text.length = 29
        return text

    cdef uint64_t random(self) noexcept nogil:
        """A draw that is good enough to spread load (xorshift64*, Vigna 2016); never used for secrets."""
        return draw(&self.random_state)

    cdef Slice request_id(self) noexcept nogil:
        """A new random UUID (RFC 9562 version 4); valid until the next call."""
        cdef const char *digits = b"0123456789abcdef"
        cdef unsigned char *source
        cdef int i, at = 0
        cdef Slice text
        if self.entropy_left < 16:
            if getrandom(self.entropy, sizeof(self.entropy), 0) != sizeof(self.entropy):
                memset(self.entropy, self.entropy[0] + 1, 16)
            self.entropy_left = sizeof(self.entropy)
        self.entropy_left -= 16
        source = self.entropy + self.entropy_left
        source[6] = source[6] & 0x0F | 0x40
        source[8] = source[8] & 0x3F | 0x80
        for i in range(16):
            if i == 4 or i == 6 or i == 8 or i == 10:
                self.id_text[at] = c"-"
                at += 1
            self.id_text[at] = digits[source[i] >> 4]
            self.id_text[at + 1] = digits[source[i] & 15]
            at += 2
        text.data = self.id_text
        text.length = 36
        return text


def own_address() -> bytes:
    """The first IPv4 address of this machine that is not loopback, else 127.0.0.1.

    It stands in x-forwarded-for for a client on the machine itself, as with Envoy.
    """
    cdef ifaddrs *addresses
    cdef ifaddrs *at
    cdef char text[64]
    found = b"127.0.0.1"
    if getifaddrs(&addresses) != 0:
        return found
    at = addresses
    while at != NULL:
        if at.ifa_addr != NULL and at.ifa_addr.sa_family == AF_INET:
            inet_ntop(AF_INET, &(<sockaddr_in *> at.ifa_addr).sin_addr, text, sizeof(text))
            if not (<bytes> text).startswith(b"127."):
                found = <bytes> text
                break
        at = at.ifa_next
    freeifaddrs(addresses)
    return found


def http_date(epoch_ms: int):
    """The Date header at that time, in milliseconds since the epoch."""
    cdef Stamps stamps = Stamps()
    stamps.checked_ms = 1
    stamps.epoch_ms = epoch_ms - 1
    date = stamps.date(1)
    return date.data[:date.length]


def request_ids(count: int):
    """That many new request ids."""
    cdef Stamps stamps = Stamps()
    cdef Slice text
    ids = []
    for _ in range(count):
        text = stamps.request_id()
        ids.append(text.data[:text.length])
    return ids
