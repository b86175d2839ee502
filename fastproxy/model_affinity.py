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
    """Of a response: a member of the JSON object that is the body, of text."""
    EVENT = "event"
    """Of a response: the query parameter in the URL that the first server-sent event tells (event: endpoint)."""
    OPEN_PACKET = "open-packet"
    """Of a response: Engine.IO's first packet."""
    SOCKJS_PATH = "sockjs-path"
    """Of a request: /<server>/<session>/<transport>. Of a response: that id, which the client chose and a node took."""


@dataclass(frozen=True, slots=True)
class IdPlace:
    source: IdSource
    name: str = ""


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
    issued: tuple[IdPlace, ...]
    returned: tuple[IdPlace, ...]
    lifetime_s: int
    """From the last request on; Engine.IO's open packet says it itself."""
    lost: LostSession | None = None


ENGINE_IO = SessionProtocol(
    "engine.io",
    issued=(IdPlace(IdSource.OPEN_PACKET),),
    returned=(IdPlace(IdSource.QUERY, "sid"),),
    lifetime_s=45,
    lost=LostSession(
        400,
        "application/json",
        '{"code":1,"message":"Session ID unknown"}',
        (LostAnswer(400, '"code":1,'), LostAnswer(400, "Invalid session")),
    ),
)


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
