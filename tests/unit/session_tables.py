"""Session tables for tests: a key, hosts, ids, and regions to keep them in."""

import mmap
import zlib

from fastproxy._sessions import SessionTable, region_bytes

KEY = bytes(range(16))
NOW = 1000
TTL = 44
HOST_BYTES = 256 * 1024
"""The registry of hosts, before the slots."""
HOSTS = [0x9E3779B9, 0x7F4A7C15, 0xF39CC060, 0x5CEDC834]


def region_of(buckets: int) -> mmap.mmap:
    return mmap.mmap(-1, region_bytes(4 * buckets))


def table_of(buckets: int) -> SessionTable:
    return SessionTable(region_of(buckets), KEY)


def id_of(number: int) -> bytes:
    return b"lv_VI97HAXpY6yYWAAA%d" % number


def host_of(sid: bytes) -> int:
    return HOSTS[zlib.crc32(sid) % len(HOSTS)]
