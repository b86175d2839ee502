"""How sessions are kept on their nodes, as data: where an id is issued, where it comes back, what a lost one is told.

A session protocol is what `affinity_policy` compiles. The presets are values of it and nothing more.
"""

from dataclasses import dataclass
from enum import Enum


class IdSource(Enum):
    """Where in a message an id stands; `name` of an IdPlace is the parameter, header, cookie or member."""

    QUERY = "query"
    """Of a request: a query parameter. Of a response: the parameter in the query of `location`."""
    HEADER = "header"
    COOKIE = "cookie"
    """Of a request: `cookie`. Of a response: `set-cookie`."""
    JSON = "json"
    """Of a response: a member of the JSON object that is the body, a string or a number."""
    EVENT = "event"
    """Of a response: the query parameter in the URL that the first server-sent event tells (`event: endpoint`)."""
    OPEN_PACKET = "open-packet"
    """Of a response: Engine.IO's first packet."""
    SOCKJS_PATH = "sockjs-path"
    """Of a request: <prefix>/<server>/<session>/<transport>. Of a response: that id, chosen by the client, which a node
    took by an answer without error."""


@dataclass(frozen=True, slots=True)
class IdPlace:
    source: IdSource
    name: str = ""

    def __str__(self) -> str:
        return f"{self.source.value}:{self.name}" if self.name else self.source.value


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """An answer by which a node says that it does not know the session: the status, and a text in its beginning."""

    status: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class LostSession:
    """What is said of a session that nobody has: by nodes, `said`, and by the proxy in their place."""

    status: int
    content_type: str
    body: str
    said: tuple[LostAnswer, ...]


@dataclass(frozen=True, slots=True)
class SessionProtocol:
    """`lost` None: nodes do not tell that they do not know an id, so nobody can be asked, and a request with an id that
    is not known here goes where one without an id would go."""

    name: str
    """Ids of protocols of different names are different ones, even where they are the same text."""
    issued: tuple[IdPlace, ...]
    returned: tuple[IdPlace, ...]
    lifetime_s: int
    """From the last request on; Engine.IO's open packet says it itself."""
    lost: LostSession | None = None
    ended_by: str = ""
    """The method of a request by which a client ends its session, once a node answers it without an error."""

    def __str__(self) -> str:
        """In a line, without what is said of lost ones, which files do not say."""
        places = f"{' '.join(map(str, self.issued))} > {' '.join(map(str, self.returned))}"
        return f"{self.name} ({places}, {self.lifetime_s} s)"


ENGINE_IO = SessionProtocol(
    "engine.io",
    issued=(IdPlace(IdSource.OPEN_PACKET),),
    returned=(IdPlace(IdSource.QUERY, "sid"),),
    lifetime_s=45,
    lost=LostSession(
        400,
        "application/json",
        '{"code":1,"message":"Session ID unknown"}',
        (
            LostAnswer(400, "Session ID unknown"),
            LostAnswer(400, '"code":1,'),
            LostAnswer(400, "Invalid session"),  # python-engineio
            LostAnswer(400, "invalid sid"),  # go-socket.io
        ),
    ),
)


MCP = SessionProtocol(
    "mcp",
    issued=(
        IdPlace(IdSource.HEADER, "mcp-session-id"),
        IdPlace(IdSource.EVENT, "sessionId"),
        IdPlace(IdSource.EVENT, "session_id"),
    ),
    returned=(
        IdPlace(IdSource.HEADER, "mcp-session-id"),
        IdPlace(IdSource.QUERY, "sessionId"),
        IdPlace(IdSource.QUERY, "session_id"),
    ),
    lifetime_s=86400,
    lost=LostSession(
        404,
        "application/json",
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}',
        (
            LostAnswer(404, "Session not found"),
            LostAnswer(404, "Could not find session"),
            LostAnswer(404, "Invalid or expired session ID"),
            LostAnswer(400, "No valid session ID provided"),
            LostAnswer(400, "Invalid or missing session ID"),
            LostAnswer(400, "No transport found for sessionId"),
        ),
    ),
    ended_by="DELETE",
)
"""Streamable HTTP (modelcontextprotocol.io, revision 2025-06-18: a lost session is a 404) and the HTTP+SSE transport
before it (2024-11-05), in the spellings of the SDKs for Python (`session_id`) and TypeScript (`sessionId`), and in
the words of their servers. A day: a stream may be all that is heard of a session for hours."""

SOCKJS = SessionProtocol(
    "sockjs",
    issued=(IdPlace(IdSource.SOCKJS_PATH),),
    returned=(IdPlace(IdSource.SOCKJS_PATH),),
    lifetime_s=86400,
)
"""Nobody is asked: any node opens a session under an id that it does not know. A day, as a stream has no end either."""

APPLICATION_LIFETIME_S = 3600
"""Of sessions of which nothing but the id is known: twice the 30 minutes that servlet containers keep them."""


def cookie(name: str) -> SessionProtocol:
    """Sessions whose id the application sets as a cookie."""
    return at_same_place(IdSource.COOKIE, name)


def header(name: str) -> SessionProtocol:
    """Sessions whose id stands in a header of the answer, and in the same header of later requests."""
    return at_same_place(IdSource.HEADER, name.lower())


def query(name: str) -> SessionProtocol:
    """Sessions whose id stands in the query of a redirect, and then in that of requests."""
    return at_same_place(IdSource.QUERY, name)


def json_field(name: str) -> SessionProtocol:
    """Sessions whose id is a member of a JSON answer; it comes back as a query parameter or header of the same name."""
    returned = (IdPlace(IdSource.QUERY, name), IdPlace(IdSource.HEADER, name.lower()))
    return SessionProtocol(f"json:{name}", (IdPlace(IdSource.JSON, name),), returned, APPLICATION_LIFETIME_S)


def at_same_place(source: IdSource, name: str) -> SessionProtocol:
    place = (IdPlace(source, name),)
    return SessionProtocol(f"{source.value}:{name}", place, place, APPLICATION_LIFETIME_S)


@dataclass(frozen=True, slots=True)
class SessionAffinity:
    """Of a connection manager or a route. Without protocols no session is looked for."""

    protocols: tuple[SessionProtocol, ...] = (ENGINE_IO,)
    ask: bool = True
    """The hosts of the cluster are asked for an id that is not known here."""
    max_asked_body_bytes: int = 1_000_000
    """A request with a larger body is not asked for (Engine.IO's own `maxPayload` default)."""
    least_sessions: bool = True
    """A new session without a hash goes to the host with the fewest live ones."""


DEFAULT_AFFINITY = SessionAffinity()
