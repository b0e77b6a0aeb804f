"""What every answer tells of this API's age: since when and until when it is there, and what to use instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.rest.route import RestRoute

SUCCESSOR = "/graphql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Legacy:
    """
    `deprecated_at` and `sunset_at` are instants in UTC; what is None is not told. `guide` is the address of the
    migration guide, whose entries are its anchors; without one answers only name the operation in GraphQL.

    RFC 9745 (Deprecation), RFC 8594 (Sunset), RFC 8288 (Link), RFC 5829 (successor-version).
    """

    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None
    guide: str = ""

    def headers(self, route: RestRoute) -> Mapping[str, str]:
        found = {"Link": ", ".join(self._links(route))}
        if self.deprecated_at is not None:
            found["Deprecation"] = f"@{int(self.deprecated_at.timestamp())}"
        if self.sunset_at is not None:
            found["Sunset"] = format_datetime(self.sunset_at, usegmt=True)
        return found

    def _links(self, route: RestRoute) -> list[str]:
        operations = ", ".join(route.graphql)
        links = [f'<{SUCCESSOR}>; rel="successor-version"; title="{operations}"']
        if self.guide:
            links.append(f'<{self.guide}#{route.name}>; rel="deprecation"; type="text/html"')
        return links


class LegacyHeaders:
    """Adds them to every answer of an address, also to errors, by the method that was asked."""

    def __init__(self, app: ASGIApp, by_method: Mapping[str, Mapping[str, str]]) -> None:
        self.app = app
        self._by_method = {
            method: [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            for method, headers in by_method.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        headers = self._by_method.get(method, [])

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        await self.app(scope, receive, with_headers)
