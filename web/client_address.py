"""From which network a request comes, as far as limits tell clients apart."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

HOUSEHOLD: Final = 56
"""
Bits that all addresses of a site have in common. It should have more than one /64 (RFC 6177), and has a /56 or a
/48 as a rule; whoever has a /48 counts as 256 clients.
"""
LONGEST: Final = 72
"""Characters, of an address with its zone, in brackets and with a port."""
UNKNOWN: Final = "unknown"

_WITH_PORT: Final = re.compile(
    r"(?P<v4>[0-9.]+):[0-9]{1,5}|\[(?P<v6>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%[^\[\]]+)?)\](?::[0-9]{1,5})?",
    re.ASCII,
)
"""As some proxies forward it (RFC 7239, section 6); only version 6 has brackets."""


def network(address: str | None) -> str:
    """
    An IPv4 address as it is, and the /56 of an IPv6 address; whatever is no address is one network, UNKNOWN.

    So nobody gets a new name by another spelling of their address, or by another one of their own.
    """
    return _network(address) if address and len(address) <= LONGEST else UNKNOWN


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    try:
        known = ip_address(without_port(address))
    except ValueError:
        return UNKNOWN
    return str(known) if isinstance(known, IPv4Address) else _of_version_6(known)


def without_port(address: str) -> str:
    """And without brackets, where it has any."""
    found = _WITH_PORT.fullmatch(address)
    return (found["v4"] or found["v6"]) if found else address


def _of_version_6(address: IPv6Address) -> str:
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), HOUSEHOLD), strict=False).network_address) + f"/{HOUSEHOLD}"
