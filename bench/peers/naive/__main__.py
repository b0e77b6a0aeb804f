"""The server: a middleware for the token, and Strawberry's own application."""

import os
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import uvicorn
from jose import jwt
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from bench import HOST
from bench.peers.naive.loaders import Context, MethodLoader, RefundLoader
from bench.peers.naive.schema import schema

SECRET: Final = os.environ["JWT_SECRET"]


class Authentication(BaseHTTPMiddleware):
    async def dispatch(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_aud": False})
        request.state.user = UUID(claims["sub"])
        return await call_next(request)


class Application(GraphQL[Context, None]):
    async def get_context(self, request: Request | WebSocket, response: Any) -> Context:
        user = request.state.user
        return Context(user=user, methods=MethodLoader(user), refunds=RefundLoader(user))


app = Starlette(
    middleware=[Middleware(Authentication)],
    routes=[Route("/graphql", Application(schema))],
)

if __name__ == "__main__":
    uvicorn.run(app, host=HOST, port=int(os.environ["PORT"]), access_log=False, log_level="warning")
