"""Connects to a host, and may exchange a few bytes with it, as Envoy's tcp_health_check."""

from fastproxy.health.checks import Finding, Outcome
from fastproxy.health.client import MAX_ANSWER_BYTES, Connection, reason
from fastproxy.health.probes import are_in_order
from fastproxy.model import TcpProbe


class TcpProber:
    """Asks one host, over `connection`. Without bytes to wait for, a connection is all it wants, each time anew."""

    def __init__(self, probe: TcpProbe, connection: Connection) -> None:
        self._probe = probe
        self._connection = connection

    async def ask(self) -> Finding:
        try:
            return await self._exchange()
        except OSError as error:
            self.close()
            return Finding(Outcome.NETWORK, reason(error))

    def close(self) -> None:
        self._connection.close()

    async def _exchange(self) -> Finding:
        reader, writer = await self._connection.streams()
        writer.write(self._probe.send)
        if not self._probe.receive:
            await writer.drain()
            writer.close()  # in order, so that what was sent gets there
            self._connection.forget()
            return Finding(Outcome.SUCCESS)
        got = b""
        while not are_in_order(got, self._probe.receive):
            part = await reader.read(MAX_ANSWER_BYTES)
            got += part
            if not part or len(got) > MAX_ANSWER_BYTES:
                self.close()
                said = "the connection was closed" if not part else "too much came"
                return Finding(Outcome.NETWORK if not part else Outcome.FAILURE, said)
        return Finding(Outcome.SUCCESS)
