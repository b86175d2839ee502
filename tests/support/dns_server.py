"""A DNS server on 127.0.0.1 (RFC 1035), over UDP and TCP, that says what a test wants to be said just now."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.processes import free_port

A, CNAME, AAAA = 1, 5, 28
SERVFAIL, NXDOMAIN = 2, 3


@dataclass
class DnsServer:
    """`addresses` by names, IPv4 and IPv6 together; any other name does not exist. Tests change all of it at will."""

    addresses: dict[str, list[str]] = field(default_factory=dict)
    ttl_s: int = 60
    aliases: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Names that are others in truth, and the TTL of that."""
    is_silent: bool = False
    silent_about: set[int] = field(default_factory=set)
    """Types of records that are not answered for."""
    failure: int = 0
    """The code of every answer, such as SERVFAIL; 0 for answers as they should be."""
    truncates: bool = False
    """Whether an answer over UDP asks to come back over TCP."""
    asked: list[tuple[str, int]] = field(default_factory=list)
    """Names and types of the queries so far."""
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._tcp = socket.create_server(("127.0.0.1", self.port))
        self._threads = [threading.Thread(target=each) for each in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        with suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            query, peer = self._udp.recvfrom(4096)
            if not query:
                return
            answer = self.reply(query, self.truncates)
            if answer:
                self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                connection.settimeout(10)
                (length,) = struct.unpack("!H", stream.read(2))
                answer = self.reply(stream.read(length), False)
                if answer:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)

    def reply(self, query: bytes, truncated: bool) -> bytes:
        """The answer to a query of one question; nothing when there is to be none."""
        name, end = _name(query, 12)
        kind = int.from_bytes(query[end : end + 2], "big")
        self.asked.append((name, kind))
        if self.is_silent or kind in self.silent_about:
            return b""
        records = [] if self.failure or truncated else list(self._records(name, kind))
        target = self.aliases.get(name, (name, 0))[0]
        code = self.failure or (0 if target in self.addresses else NXDOMAIN)
        flags = 0x8180 | code | (0x0200 if truncated else 0)
        header = query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        return header + query[12 : end + 4] + b"".join(records)

    def _records(self, name: str, kind: int) -> Iterator[bytes]:
        if name in self.aliases:
            target, ttl_s = self.aliases[name]
            yield _record(name, CNAME, ttl_s, _wire(target))
            name = target
        family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(kind)
        for address in self.addresses.get(name, []):
            if family == (socket.AF_INET6 if ":" in address else socket.AF_INET):
                yield _record(name, kind, self.ttl_s, socket.inet_pton(family, address))


@contextmanager
def dns_server() -> Iterator[DnsServer]:
    server = DnsServer()
    try:
        yield server
    finally:
        server.close()


def _name(message: bytes, at: int) -> tuple[str, int]:
    """A name that is written out, and where it ends."""
    labels = []
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1


def _wire(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _record(name: str, kind: int, ttl_s: int, data: bytes) -> bytes:
    return _wire(name) + struct.pack("!HHIH", kind, 1, ttl_s, len(data)) + data
