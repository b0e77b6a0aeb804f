"""
Reads the key set of the User Service over HTTP.

Whatever it answers, a reading ends within seconds and takes little memory; redirects are not followed.
"""

import asyncio
import ssl
from functools import cache
from typing import Final

import httpx

from web.jwk_set import KeySet, key_set

READ_SECONDS: Final = 3.0
"""For everything together; httpx only bounds the wait for each byte."""
LARGEST_SET: Final = 128 * 1024
"""Bytes."""
LONGEST_REASON: Final = 200
"""Characters; some errors quote what was received."""
HEADERS: Final = {
    "Accept": "application/jwk-set+json, application/json",
    "Accept-Encoding": "identity",  # What is not compressed cannot become larger than it was.
}


class KeySetUnread(Exception):
    """Why, for the log."""


@cache
def authorities() -> ssl.SSLContext:
    """Whom we believe a certificate, read once: that takes longer than all the rest."""
    return httpx.create_ssl_context()


class KeySetAddress:
    """Where the keys are published. Proxies and certificates are as httpx finds them in the environment."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.AsyncClient(
            headers=HEADERS, timeout=READ_SECONDS, follow_redirects=False, verify=authorities()
        )

    async def read(self) -> KeySet:
        """Raises KeySetUnread."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                return key_set(await self._content())
        except TimeoutError as slow:
            raise KeySetUnread("no whole answer in time") from slow
        except httpx.HTTPError as failed:
            raise KeySetUnread(f"{type(failed).__name__}: {failed}"[:LONGEST_REASON]) from failed
        except ValueError as malformed:
            raise KeySetUnread(str(malformed)) from malformed

    async def close(self) -> None:
        await self._client.aclose()

    async def _content(self) -> bytes:
        async with self._client.stream("GET", self._url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise KeySetUnread(f"status {answer.status_code}")
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise KeySetUnread("it is compressed")
            content = bytearray()
            async for chunk in answer.aiter_raw():
                content += chunk
                if len(content) > LARGEST_SET:
                    raise KeySetUnread(f"more than {LARGEST_SET} bytes")
            return bytes(content)
