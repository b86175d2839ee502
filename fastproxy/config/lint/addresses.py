"""Who can reach an address."""

import ipaddress


def is_open(host: str) -> bool:
    """Whether clients from anywhere may come: every interface, or a public address."""
    return host in ("0.0.0.0", "::") or is_public(host)


def is_public(host: str) -> bool:
    """Whether the address is one of the internet."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False
