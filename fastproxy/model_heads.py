"""What is done to heads, as the configuration says for a connection manager, a route or what lies between.

A part of `model`, which names these too. Imports nothing of ours.
"""

from dataclasses import dataclass
from enum import Enum


class ServerHeaderTransformation(Enum):
    OVERWRITE = "OVERWRITE"
    APPEND_IF_ABSENT = "APPEND_IF_ABSENT"
    PASS_THROUGH = "PASS_THROUGH"


class HeadersWithUnderscoresAction(Enum):
    ALLOW = "ALLOW"
    REJECT_REQUEST = "REJECT_REQUEST"
    DROP_HEADER = "DROP_HEADER"


class HeaderKeyFormat(Enum):
    LOWER_CASE = "LOWER_CASE"
    PROPER_CASE_WORDS = "PROPER_CASE_WORDS"
    PRESERVE_CASE = "PRESERVE_CASE"


@dataclass(frozen=True, slots=True)
class IpDetection:
    """Where the client's address is looked for: in a header of that name, or in x-forwarded-for so many hops back."""

    header_name: str = ""
    xff_num_trusted_hops: int = 0
    is_trusted: bool = False  # whether the address may make a request internal


class AppendAction(Enum):
    APPEND_IF_EXISTS_OR_ADD = "APPEND_IF_EXISTS_OR_ADD"
    ADD_IF_ABSENT = "ADD_IF_ABSENT"
    OVERWRITE_IF_EXISTS_OR_ADD = "OVERWRITE_IF_EXISTS_OR_ADD"
    OVERWRITE_IF_EXISTS = "OVERWRITE_IF_EXISTS"


@dataclass(frozen=True, slots=True)
class HeaderValue:
    """A header to add; `key` is lower case, `value` a format as in the access log, where nothing stands for unset."""

    key: str
    value: str
    append_action: AppendAction = AppendAction.APPEND_IF_EXISTS_OR_ADD
    keep_empty_value: bool = False


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """Headers to add and remove at one level: weighted cluster, route, virtual host or route configuration."""

    request_add: tuple[HeaderValue, ...] = ()
    request_remove: tuple[str, ...] = ()
    response_add: tuple[HeaderValue, ...] = ()
    response_remove: tuple[str, ...] = ()
