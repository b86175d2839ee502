"""What a worker has to be told of a new configuration, in a file without a name.

The model and the places of the counters: neither follows from the other. One file serves all workers; each is given a
descriptor of it. Nothing is executed when it is read, and nothing but model and layout can come out of it.
"""

import fcntl
import mmap
import os
from dataclasses import dataclass

from fastproxy.model import Configuration
from fastproxy.model_codec import Codec
from fastproxy.scopes import LayoutState


@dataclass(frozen=True, slots=True)
class Handover:
    configuration: Configuration
    layout: LayoutState


_CODEC = Codec(Handover)
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def write(handover: Handover) -> int:
    """The descriptor of a file in memory that has the handover in it, and will never have anything else.

    The caller closes it.
    """
    fd = write_bytes("configuration", _CODEC.encode(handover))
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    return fd


def read(fd: int) -> Handover:
    """What was written to that file. The place at which others read it does not matter, nor is it moved."""
    return _CODEC.decode(read_bytes(fd))


def write_bytes(name: str, data: bytes) -> int:
    """The descriptor of a file in memory; `name` is for people who look at /proc."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(data)
    except OSError:
        os.close(fd)
        raise
    return fd


def read_bytes(fd: int) -> bytes:
    """All of a file in memory."""
    size = os.fstat(fd).st_size
    if size == 0:
        return b""
    with mmap.mmap(fd, size, mmap.MAP_PRIVATE, mmap.PROT_READ) as view:
        return view[:]
