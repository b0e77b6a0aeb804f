"""What every answer tells a browser not to do with it."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OVER_TLS: Final = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


class SecurityHeaders:
    """
    Adds the headers of the OWASP REST security cheat sheet that an answer has not set itself.

    `over_tls` adds Strict-Transport-Security, which browsers remember for two years.
    """

    def __init__(self, app: ASGIApp, *, over_tls: bool = False) -> None:
        self.app = app
        self.headers = (*ALWAYS, _OVER_TLS) if over_tls else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._missing(message)]
            await send(message)

        await self.app(scope, receive, with_headers)

    def _missing(self, message: Message) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _value in message.get("headers", ())}
        return [header for header in self.headers if header[0] not in present]
