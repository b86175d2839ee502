"""What is done to heads, as the configuration of a connection manager says.

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
