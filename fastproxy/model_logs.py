"""The part of the model that says which lines an access log has."""

from dataclasses import dataclass
from enum import Enum

DEFAULT_ACCESS_LOG_FORMAT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n'
)


MAX_ACCESS_LOGS = 4  # of one connection manager; the data plane keeps as many records per exchange


class LogCondition(Enum):
    STATUS = "status"
    DURATION = "duration"  # in milliseconds
    FLAGS = "flags"  # any of those named; without a name, any at all
    SHARE = "share"  # so many of a million
    AND = "and"
    OR = "or"


class LogOperator(Enum):
    EQ = "EQ"
    GE = "GE"
    LE = "LE"
    NE = "NE"


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which exchanges something is for: a comparison, or several filters together."""

    condition: LogCondition
    operator: LogOperator = LogOperator.EQ
    value: int = 0
    flags: tuple[str, ...] = ()  # the letters of response flags
    filters: "tuple[LogFilter, ...]" = ()


@dataclass(frozen=True, slots=True)
class AccessLog:
    path: str
    format: str = DEFAULT_ACCESS_LOG_FORMAT
    filter: LogFilter | None = None
