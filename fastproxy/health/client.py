"""As much of an HTTP/1.1 client as a health check needs: one connection, one request at a time, bounded answers."""

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from fastproxy.model import Address
from fastproxy.model_clusters import TcpKeepalive

MAX_ANSWER_BYTES = 64 * 1024
"""Of a head, and of a body. More of a body is not read, and its connection not used again."""
MAX_LENGTH_DIGITS = 20

Fields = Sequence[tuple[str, str]]
_BODILESS = (204, 304)


class BadAnswer(Exception):
    """What came is no answer of HTTP/1.1; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of `fields` are in lower case."""

    status: int
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def field(self, name: str) -> str | None:
        """The first line of that name."""
        return next((value for known, value in self.fields if known == name), None)

    def has_token(self, name: str, token: str) -> bool:
        """Whether a list of tokens has this one."""
        lists = (value for known, value in self.fields if known == name)
        return any(token == each.strip().lower() for value in lists for each in value.split(","))


def reason(error: Exception) -> str:
    """Why a host could not be asked, for people."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) if isinstance(error, BadAnswer) else "the connection was closed"


def keep_alive(connection: socket.socket, keepalive: TcpKeepalive) -> None:
    """Have the kernel ask a silent peer whether it is there."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        socket.TCP_KEEPCNT: keepalive.probes,
        socket.TCP_KEEPIDLE: keepalive.time_s,
        socket.TCP_KEEPINTVL: keepalive.interval_s,
    }
    for option, value in options.items():
        if value:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


class Connection:
    """To one host, whose kernel is asked as `keepalive` says, if it does.

    OSError, EOFError, BadAnswer and what cancels a task come out of its methods; then close it.
    """

    def __init__(self, address: Address, keepalive: TcpKeepalive | None = None) -> None:
        self._address = address
        self._keepalive = keepalive
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Those of the kept connection, or of a new one."""
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await self._connect()
        return self._reader, self._writer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = self._address
        if address.path:
            path = f"\0{address.path[1:]}" if address.path.startswith("@") else address.path
            return await asyncio.open_unix_connection(path, limit=MAX_ANSWER_BYTES)
        reader, writer = await asyncio.open_connection(address.host, address.port, limit=MAX_ANSWER_BYTES)
        if self._keepalive is not None:
            keep_alive(writer.get_extra_info("socket"), self._keepalive)
        return reader, writer

    @property
    def is_open(self) -> bool:
        return self._writer is not None

    def forget(self) -> None:
        """The next use makes a new connection; this one belongs to whoever has its streams."""
        self._reader = self._writer = None

    def close(self) -> None:
        """At once: what was sent and not taken is lost."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def ask(self, method: str, target: str, fields: Fields, body: bytes = b"") -> Answer:
        """Send a request and read its answer. One that a kept connection has not answered is sent once more on a new
        one: the host may have closed it just then."""
        is_kept = self.is_open
        try:
            return await self._exchange(method, target, fields, body)
        except (OSError, EOFError):
            if not is_kept:
                raise
        self.close()
        return await self._exchange(method, target, fields, body)

    async def _exchange(self, method: str, target: str, fields: Fields, body: bytes) -> Answer:
        reader, writer = await self.streams()
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {len(body)}")
        writer.write("\r\n".join((*lines, "", "")).encode("latin-1", "replace") + body)
        answer, keeps = await _read_answer(reader, method)
        if not keeps:
            self.close()
        return answer


async def _read_answer(reader: asyncio.StreamReader, method: str) -> tuple[Answer, bool]:
    """The final answer, and whether its connection can be used again."""
    while True:
        head, minor_version = _parse_head(await _read_until(reader, b"\r\n\r\n"))
        if head.status >= 200:
            break
    keeps = not head.has_token("connection", "close")
    if minor_version == 0:
        keeps = head.has_token("connection", "keep-alive")
    body, is_whole = await _read_body(reader, head, method)
    return Answer(head.status, head.fields, body), keeps and is_whole


async def _read_until(reader: asyncio.StreamReader, separator: bytes) -> bytes:
    try:
        return await reader.readuntil(separator)
    except asyncio.LimitOverrunError:
        raise BadAnswer("a line or a head is too long") from None


def _parse_head(data: bytes) -> tuple[Answer, int]:
    """Status and fields, and the minor version of HTTP."""
    first, *lines = data.decode("latin-1").split("\r\n")[:-2]
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if version not in ("HTTP/1.1", "HTTP/1.0") or len(status) != 3 or not status.isdecimal() or int(status) < 100:
        raise BadAnswer("this is no HTTP/1.1")
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadAnswer("a line of the head is no field")
        fields.append((name.lower(), value.strip(" \t")))
    return Answer(int(status), tuple(fields)), int(version[-1])


async def _read_body(reader: asyncio.StreamReader, head: Answer, method: str) -> tuple[bytes, bool]:
    """The body, or its beginning; whether it was read to its end and the connection goes on behind it."""
    if method == "HEAD" or head.status in _BODILESS:
        return b"", True
    if head.has_token("transfer-encoding", "chunked"):
        return await _read_chunks(reader)
    length = head.field("content-length")
    if length is None:
        return await _read_rest(reader), False
    if not length.isdecimal() or len(length) > MAX_LENGTH_DIGITS:
        raise BadAnswer("content-length is no number of bytes")
    wanted = min(int(length), MAX_ANSWER_BYTES)
    return await reader.readexactly(wanted), wanted == int(length)


async def _read_rest(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < MAX_ANSWER_BYTES and (part := await reader.read(MAX_ANSWER_BYTES - len(body))):
        body += part
    return body


async def _read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    body = b""
    while True:
        size_text = (await _read_until(reader, b"\r\n")).partition(b";")[0].strip()
        try:
            size = int(size_text, 16)
        except ValueError:
            raise BadAnswer("a chunk has no size") from None
        if size == 0:
            break
        if not 0 < size <= MAX_ANSWER_BYTES - len(body):
            return body, False
        body += (await reader.readexactly(size + 2))[:-2]
    while await _read_until(reader, b"\r\n") != b"\r\n":
        pass
    return body, True
