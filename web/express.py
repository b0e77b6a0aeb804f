"""A way past the router for the routes that are asked most."""

from collections.abc import Sequence

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Express:
    """
    Starlette's router tries one route after the other, and lays two handlers of exceptions around the endpoint: with
    a request for GraphQL, that takes as long as its resolvers. Whatever is asked for at exactly the path of one of
    `routes`, and with one of its methods, goes straight to that endpoint; it must be an application that answers in
    any case. All else goes to the router, which knows these routes too and tells which methods they take.
    """

    def __init__(self, app: ASGIApp, *, routes: Sequence[Route]) -> None:
        self.app = app
        self._routes = {(method, route.path): route for route in routes for method in route.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = route
        await route.app(scope, receive, send)
