"""The parts of the model that say how names of hosts are looked up, and when again."""

from dataclasses import dataclass
from enum import Enum

from fastproxy.model_listeners import Address


class DnsLookupFamily(Enum):
    """Which addresses of a name count: AUTO prefers IPv6 as V4_PREFERRED does IPv4, ALL takes both."""

    AUTO = "AUTO"
    V4_ONLY = "V4_ONLY"
    V6_ONLY = "V6_ONLY"
    V4_PREFERRED = "V4_PREFERRED"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class RefreshRate:
    """When to try again after failures: at random within `base_s`, then within twice as much, up to `max_s`."""

    base_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class DnsResolution:
    """Which servers are asked for names, and how. The default: whatever the system does."""

    resolvers: tuple[Address, ...] = ()
    """Servers by IP and port; () for those of the system."""
    use_resolvers_as_fallback: bool = False
    """Ask `resolvers` only where the system has none."""
    use_tcp: bool = False
    no_default_search_domain: bool = False
    rotate: bool = False
    query_timeout_s: float = 5.0
    query_tries: int = 4
