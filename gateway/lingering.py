"""A connection that ends politely."""

import asyncio
from collections.abc import Callable
from typing import Any


class LingeringTransport:
    """
    A transport whose `close` lets a client that is still sending read the answer.

    A socket that is closed while bytes wait in it resets the connection, and a reset may take the answer along with
    it. So only our own side ends at first: what still comes is dropped for some seconds, or until the client ends
    (RFC 9112, section 9.6). Nor does it wait forever for a client to take the rest of an answer.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        is_still_sent: Callable[[], bool],
        linger_seconds: float,
        reader_seconds: float,
    ) -> None:
        self._transport = transport
        self._is_still_sent = is_still_sent
        self._linger_seconds, self._reader_seconds = linger_seconds, reader_seconds
        self._end: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._end is not None or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        if not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self.is_closing():
            return
        if self._is_still_sent():
            self._transport.write_eof()
            self._transport.resume_reading()
            self._abort_after(self._linger_seconds)
            return
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._abort_after(self._reader_seconds)

    def lost(self) -> None:
        """The connection is gone, whoever ended it."""
        if self._end is not None:
            self._end.cancel()

    def _abort_after(self, seconds: float) -> None:
        self._end = asyncio.get_running_loop().call_later(seconds, self._transport.abort)
