"""From a host's name to a connection: whichever of its addresses lets us in."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from processor.http_connection import HttpConnection

CONNECT_SECONDS: Final = 3.0
"""For all addresses together, with the encryption."""


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int


async def connected(origin: Origin, tls: ssl.SSLContext | None) -> HttpConnection:
    """
    Tries one address after the other: a host that is partly away is there for the others.

    Each has half of the time that is left, and the last one all of it, so that an address that says nothing does not
    use up the time of those after it. Raises OSError, that of the last one.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + CONNECT_SECONDS
    async with asyncio.timeout_at(ends_at):
        *others, last = await addresses_of(origin)
    for address in others:
        with suppress(OSError):  # A time-out is one, too.
            async with asyncio.timeout((ends_at - loop.time()) / 2):
                return await connected_at(address, origin, tls)
    async with asyncio.timeout_at(ends_at):
        return await connected_at(last, origin, tls)


async def connected_at(address: str, origin: Origin, tls: ssl.SSLContext | None) -> HttpConnection:
    """The certificate must be that of the host, whose address it is."""
    _, connection = await asyncio.get_running_loop().create_connection(
        HttpConnection, address, origin.port, ssl=tls, server_hostname=origin.host if tls else None
    )
    return connection


async def addresses_of(origin: Origin) -> Sequence[str]:
    """One at least, in the order in which the system prefers them. Raises OSError where the name is unknown."""
    found = await asyncio.get_running_loop().getaddrinfo(
        origin.host, origin.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    return [str(place[0]) for *_, place in found]
