"""What the kernel knows about TCP sockets, asked with sock_diag(7).

The tables of /proc/net say the same, but to read them the kernel walks through every connection of the machine, and
after some thousand tests most of them are dead ones.
"""

import socket
import struct
from collections.abc import Iterator

_SOCK_DIAG_BY_FAMILY = 20
_NETLINK_SOCK_DIAG = 4
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLM_F_REQUEST = 1
_NLM_F_DUMP = 0x300
_HEADER_BYTES = 16  # struct nlmsghdr
_ALL_STATES = 0xFFFFFFFF
_ESTABLISHED = 1 << 1  # TCP_ESTABLISHED
_LISTENING = 1 << 10  # TCP_LISTEN
_ANY = struct.pack("!HH16s16s", 0, 0, bytes(16), bytes(16))
_ANSWER_BYTES = 1 << 16


def _request(family: int, states: int, flags: int, addresses: bytes) -> bytes:
    """A struct inet_diag_req_v2 with its header."""
    body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, states)
    body += addresses + struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
    return struct.pack("=IHHII", _HEADER_BYTES + len(body), _SOCK_DIAG_BY_FAMILY, flags, 1, 0) + body


def _ask() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)


def unread_and_inode(local: tuple[str, int], remote: tuple[str, int]) -> tuple[int, int]:
    """Of the socket with these addresses: bytes that its process has not read yet, and its inode.

    (0, 0) when there is no such socket.
    """
    addresses = struct.pack("!HH16s16s", local[1], remote[1], socket.inet_aton(local[0]), socket.inet_aton(remote[0]))
    with _ask() as netlink:
        netlink.send(_request(socket.AF_INET, _ALL_STATES, _NLM_F_REQUEST, addresses))
        answer = netlink.recv(_ANSWER_BYTES)
    if struct.unpack_from("=H", answer, 4)[0] == _NLMSG_ERROR:
        return 0, 0
    unread, _, _, inode = struct.unpack_from("=IIII", answer, _HEADER_BYTES + 56)  # inet_diag_msg, from idiag_rqueue on
    return unread, inode


def listeners() -> list[tuple[int, int]]:
    """Inode and port of every listening TCP socket."""
    return _sockets(_LISTENING)


def is_waited_at(port: int) -> bool:
    """Whether a connection stands in the accept queue of a listening socket of this local port of 127.0.0.1."""
    with _ask() as netlink:
        netlink.send(_request(socket.AF_INET, _LISTENING, _NLM_F_REQUEST | _NLM_F_DUMP, _ANY))
        queued = {
            struct.unpack_from("!H", each, 4)[0]: struct.unpack_from("=I", each, 56)[0] for each in _dumped(netlink)
        }
    return bool(queued.get(port))


def connections() -> list[tuple[int, int]]:
    """Inode and local port of every established TCP socket."""
    return _sockets(_ESTABLISHED)


def peers(port: int) -> list[tuple[int, int]]:
    """Inode and remote port of every established TCP socket of this local port; the inode is 0 until it is accepted."""
    return [(inode, remote) for inode, local, remote in _inodes_and_ports(_ESTABLISHED) if local == port]


def _sockets(states: int) -> list[tuple[int, int]]:
    return [(inode, local) for inode, local, _ in _inodes_and_ports(states)]


def _inodes_and_ports(states: int) -> list[tuple[int, int, int]]:
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        with _ask() as netlink:
            netlink.send(_request(family, states, _NLM_F_REQUEST | _NLM_F_DUMP, _ANY))
            for message in _dumped(netlink):
                found.append((struct.unpack_from("=I", message, 68)[0], *struct.unpack_from("!HH", message, 4)))
    return found


def _dumped(netlink: socket.socket) -> Iterator[bytes]:
    """The bodies of all messages up to the one that says that there are no more."""
    while True:
        answer = netlink.recv(_ANSWER_BYTES)
        while answer:
            length, kind = struct.unpack_from("=IH", answer)
            if kind == _NLMSG_DONE:
                return
            assert kind == _SOCK_DIAG_BY_FAMILY, f"sock_diag answers with a message of type {kind}"
            yield answer[_HEADER_BYTES:length]
            answer = answer[(length + 3) & ~3 :]
