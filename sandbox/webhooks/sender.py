"""One signed POST to a webhook endpoint, over asyncio streams: only the status of the answer matters."""

import asyncio
import hashlib
import hmac
import ssl
import time
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


class Undelivered(Exception):
    """No HTTP status came back: no connection, no answer in time, or no HTTP."""


def signature(body: bytes, secret: str, at: int) -> str:
    """The Stripe-Signature header (https://docs.stripe.com/webhooks#verify-manually); `at` is real time."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


async def post(url: str, body: bytes, secret: str, *, timeout: float) -> int:  # noqa: ASYNC109  # It is one attempt's budget.
    """Deliver a body and return the HTTP status; redirects are not followed, as Stripe follows none."""
    try:
        async with asyncio.timeout(timeout):
            return await _exchange(url, body, signature(body, secret, int(time.time())))
    except TimeoutError as error:
        raise Undelivered(f"no answer within {timeout} s") from error
    except (OSError, ValueError) as error:
        raise Undelivered(str(error) or type(error).__name__) from error


async def _exchange(url: str, body: bytes, signed: str) -> int:
    target = urlsplit(url)
    reader, writer = await asyncio.open_connection(
        target.hostname,
        target.port or PORTS[target.scheme],
        ssl=ssl.create_default_context() if target.scheme == "https" else None,
    )
    try:
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nUser-Agent: Stripe/1.0 (sandbox)\r\nAccept: */*; q=0.5\r\n"
            f"Stripe-Signature: {signed}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        return await _status(reader)
    finally:
        writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    """The status in `HTTP/1.1 200 OK`; an interim 1xx answer is followed by the real one."""
    while True:
        protocol, _, rest = (await reader.readline()).decode("latin-1").partition(" ")
        if not protocol.startswith("HTTP/"):
            raise ValueError("the connection was closed without an HTTP answer")
        while (await reader.readline()).strip():
            continue
        if (status := int(rest[:3])) >= 200:
            return status
