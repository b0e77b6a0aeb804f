"""Where anything unforeseen ends."""

import asyncio
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from web.errors import http_response

SOON: Final = {"Retry-After": "1"}
"""Another process answers, or the next one of this."""

log: FilteringBoundLogger = structlog.get_logger()


class ErrorBoundary:
    """
    Logs what nobody foresaw and answers 500; answers 503 where a shutdown cuts the request off.

    If the answer has begun, the exception goes on to the server, which then cuts the connection: a client
    must not take half an answer for a whole one. A cancellation ends here, since the request ends here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            log.warning("http.cut_off", method=scope["method"], response_has_begun=has_begun)
            if has_begun:
                raise
            await http_response(503, headers=SOON)(scope, receive, send)
        except Exception:
            log.exception("http.unforeseen", method=scope["method"], response_has_begun=has_begun)
            if has_begun:
                raise
            await http_response(500)(scope, receive, send)
