"""A target for atheris: whatever a host answers to its health checks, each check ends in a finding."""

import asyncio
from dataclasses import dataclass, field

import atheris

with atheris.instrument_imports(include=["fastproxy.health"]):
    from fastproxy.health.checks import Finding
    from fastproxy.health.client import Connection
    from fastproxy.health.engine_io_probe import EngineIoProber
    from fastproxy.health.http_probe import HttpProber
    from fastproxy.health.probes import Prober
    from fastproxy.health.tcp_probe import TcpProber

from fastproxy.model import Address, EngineIoProbe, Host, HttpProbe, TcpProbe
from fastproxy.model_routes import StringMatch, StringMatcher
from tests.fuzz.fuzzing import fuzz

ADDRESS = Address("127.0.0.1", 1)
HOST = Host(ADDRESS)
LOOP = asyncio.new_event_loop()
CONNECTION_ENDS = b"\xf5"


@dataclass
class Sent:
    """The writing end of a connection; what is written goes nowhere."""

    transport: "Sent" = field(init=False)

    def __post_init__(self) -> None:
        self.transport = self

    def write(self, data: bytes) -> None:
        assert data.count(b"\r\n\r\n") <= 1, data

    async def drain(self) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


class Played(Connection):
    """Each connection has the next part of the input, and ends behind it."""

    parts: list[bytes]

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if not self.parts:
            raise ConnectionRefusedError(111, "refused")
        reader = asyncio.StreamReader(65536, LOOP)
        reader.feed_data(self.parts.pop(0))
        reader.feed_eof()
        return reader, Sent()  # type: ignore[return-value]


def probers() -> list[Prober]:
    service = StringMatcher(StringMatch.REGEX, "a+")
    return [
        HttpProber(HttpProbe("/", service_name=service, receive=(b"a", b"b")), "c", HOST, Connection(ADDRESS)),
        HttpProber(HttpProbe("/", method="HEAD"), "c", HOST, Connection(ADDRESS)),
        EngineIoProber(EngineIoProbe(), "c", HOST, Connection(ADDRESS)),
        EngineIoProber(EngineIoProbe(protocol=3), "c", HOST, Connection(ADDRESS)),
        TcpProber(TcpProbe(receive=(b"a", b"b")), Connection(ADDRESS)),
    ]


PROBERS = probers()


async def ask_twice(prober: Prober) -> None:
    for _ in range(2):
        assert isinstance(await prober.ask(), Finding)
    prober.close()


def one_input(data: bytes) -> None:
    """The first byte says which check is made, twice over."""
    if not data:
        return
    connection = Played(ADDRESS)
    connection.parts = data[1:].split(CONNECTION_ENDS)
    prober = PROBERS[data[0] % len(PROBERS)]
    vars(prober)["_connection"] = connection
    LOOP.run_until_complete(ask_twice(prober))


if __name__ == "__main__":
    fuzz(one_input, is_python=True)
