"""Opens a session of Engine.IO at a host, as a client does, and closes it again: the one check that tells whether
sessions can be had there.

Source: the Engine.IO protocol, revisions 3 and 4 (github.com/socketio/engine.io-protocol), HTTP long-polling.
"""

import json
from urllib.parse import quote

from fastproxy.health.checks import Finding, Outcome
from fastproxy.health.client import Answer, BadAnswer, Connection, reason
from fastproxy.health.probes import USER_AGENT, host_name, with_headers
from fastproxy.model import EngineIoProbe, Host

_OPEN = b"0"
_AS_TEXT = {3: "&b64=1", 4: ""}
_CLOSE = {3: b"1:1", 4: b"1"}


class EngineIoProber:
    """Asks one host, over `connection`."""

    def __init__(self, probe: EngineIoProbe, cluster: str, host: Host, connection: Connection) -> None:
        self._probe = probe
        self._connection = connection
        fields = [("host", host_name(host, probe.host, cluster)), ("user-agent", USER_AGENT)]
        self._fields = with_headers(fields, probe.headers)
        self._target = f"{probe.path}?EIO={probe.protocol}&transport=polling{_AS_TEXT[probe.protocol]}"

    async def ask(self) -> Finding:
        try:
            answer = await self._connection.ask("GET", self._target, self._fields)
            sid = session_id(answer.body) if answer.status == 200 else None
            if sid is None:
                return _refused(answer)
            await self._leave(sid)
        except (OSError, EOFError, BadAnswer) as error:
            self.close()
            return Finding(Outcome.NETWORK, reason(error))
        return Finding(Outcome.SUCCESS)

    def close(self) -> None:
        self._connection.close()

    async def _leave(self, sid: str) -> None:
        """Close the session. What the host says to that is its business: it had opened one."""
        fields = [*self._fields, ("content-type", "text/plain;charset=UTF-8")]
        await self._connection.ask("POST", f"{self._target}&sid={quote(sid)}", fields, _CLOSE[self._probe.protocol])


def _refused(answer: Answer) -> Finding:
    said = f"status {answer.status}" if answer.status != 200 else "the answer is no open packet"
    return Finding(Outcome.FAILURE, said)


def session_id(body: bytes) -> str | None:
    """The session id of an open packet; None when the body does not begin with one.

    The text of revision 4 is the packet, that of revision 3 has its length and a colon before it.
    """
    length, colon, rest = body.partition(b":")
    packet = rest if colon and length.isdigit() else body
    if not packet.startswith(_OPEN):
        return None
    try:
        opened, _ = json.JSONDecoder().raw_decode(packet[1:].decode())
        sid = opened["sid"]
        sid.encode()  # half a surrogate pair is no text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return sid if isinstance(sid, str) and sid else None
