"""Why a session was lost, told from what its client met."""

UNKNOWN = "session unknown"
REFUSED = "connection refused"
CUT = "transport error"
TIMEOUT = "timeout"
STATUS = "error status"
MOVED = "moved to another node"
REASONS = (UNKNOWN, REFUSED, CUT, TIMEOUT, STATUS, MOVED)

# What servers say to a session id that they never issued: python-engineio, and Node's engine.io.
INVALID = b"Invalid session"
CODE_1 = b'"code":1,'


class LostSession(Exception):
    """A session that had begun was not brought to its end."""


def of_response(status: int, body: bytes) -> str:
    """A request that named its session was answered with this error."""
    is_unknown = status == 400 and (INVALID in body or CODE_1 in body.replace(b" ", b""))
    return UNKNOWN if is_unknown else STATUS


def of_error(error: Exception) -> str:
    """A request that named its session got no answer."""
    text = f"{type(error).__name__}: {error}"
    if "Connection refused" in text:
        return REFUSED
    return TIMEOUT if "Timeout" in text or "timed out" in text else CUT


def innermost(error: BaseException) -> str:
    """The kind of error at the bottom of a chain: the one that the socket met."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return type(error).__name__
