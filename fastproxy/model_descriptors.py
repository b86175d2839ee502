"""The parts of the model that tell requests apart whose rate is limited: actions make descriptors of a request, and a
descriptor that a limit names has a bucket of its own.

Envoy's nouns (config.route.v3.RateLimit, extensions.common.ratelimit.v3): a descriptor is a list of entries, each a key
and a value.
"""

from dataclasses import dataclass
from enum import Enum

from fastproxy.model_matching import HeaderMatcher, QueryParameterMatcher


class ActionKind(Enum):
    FIXED = "fixed"
    """What the file says: generic_key, metadata of the route."""
    SOURCE_CLUSTER = "source_cluster"
    DESTINATION_CLUSTER = "destination_cluster"
    REQUEST_HEADER = "request_headers"
    QUERY_PARAMETER = "query_parameters"
    REMOTE_ADDRESS = "remote_address"
    MASKED_REMOTE_ADDRESS = "masked_remote_address"
    REMOTE_ADDRESS_MATCH = "remote_address_match"
    HEADER_MATCH = "header_value_match"
    QUERY_MATCH = "query_parameter_value_match"


@dataclass(frozen=True, slots=True)
class DescriptorAction:
    """Makes the entry `key` of a descriptor. `value` is that of FIXED and of the matches, which make no descriptor
    unless all matchers hold, or with `expects_match` false unless one does not."""

    kind: ActionKind
    key: str
    value: str = ""
    name: str = ""
    """Of the header, lower case, or of the query parameter."""
    skip_if_absent: bool = False
    """Without the header or the parameter there is no entry; otherwise there is no descriptor."""
    headers: tuple[HeaderMatcher, ...] = ()
    query_parameters: tuple[QueryParameterMatcher, ...] = ()
    expects_match: bool = True
    ipv4_bits: int = 32
    ipv6_bits: int = 128
    ranges: tuple[str, ...] = ()
    """CIDR ranges of REMOTE_ADDRESS_MATCH: the client has to be in one of them. `value` is a format (log_format)."""
    default_value: str = ""
    """Of REMOTE_ADDRESS_MATCH where the format makes nothing; without one there is no descriptor then."""


@dataclass(frozen=True, slots=True)
class DescriptorRule:
    """One of `rate_limits`: its actions make one descriptor, or none, which takes `hits` tokens."""

    actions: tuple[DescriptorAction, ...]
    hits: int = 1
    tells_clients: bool | None = None
    """Of the bucket that decided, if it is this descriptor's; None: as the filter says."""
    hits_format: str = ""
    """Says the hits of each request instead (log_format); one of which it makes no number has no descriptor."""
    gives_back: bool = False
    """The tokens are put back instead of taken."""
