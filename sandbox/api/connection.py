"""The connection under a request: how a fault cuts it, under uvicorn or under an in-process client."""

import asyncio
import os
import socket
import struct
from typing import Final

from starlette.types import Scope, Send

SCOPE_KEY = "sandbox.connection"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
GONE: Final = -1
"""The number of a socket that is closed."""


class Cut(ConnectionResetError):
    """Raised where there is no socket to cut: an in-process client sees it as a broken connection."""


class Connection:
    """
    Found through `send`, which under uvicorn is bound to the cycle that owns the transport. Must be made of
    the server's own `send`, before any middleware wraps it.
    """

    def __init__(self, send: Send) -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        self._transport: asyncio.Transport | None = transport

    @classmethod
    def of(cls, scope: Scope) -> "Connection":
        connection = scope[SCOPE_KEY]
        if not isinstance(connection, cls):
            raise TypeError("the request did not come through the sandbox's application")
        return connection

    async def reset(self) -> None:
        """Drop the connection without another byte: the caller sees a TCP reset."""
        if self._transport is None:
            raise Cut("the sandbox cut the connection")
        _reset_on_close(self._transport)
        self._transport.abort()
        await self._until_noticed()

    async def close(self) -> None:
        """Close after what was sent so far, which may be half of an answer."""
        if self._transport is None:
            raise Cut("the sandbox closed the connection")
        self._transport.close()
        await self._until_noticed()

    @staticmethod
    async def _until_noticed() -> None:
        # uvicorn complains of a missing answer unless it has heard, one turn later, that the client is gone.
        for _ in range(3):
            await asyncio.sleep(0)


def _reset_on_close(transport: asyncio.Transport) -> None:
    """
    Linger for 0 seconds, so that closing sends RST; set on a copy, as uvloop lends its socket read-only.

    Where the client has gone already, nobody is left to see it.
    """
    lent = transport.get_extra_info("socket")
    if lent.fileno() == GONE:
        return
    with socket.socket(fileno=os.dup(lent.fileno())) as copy:
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
