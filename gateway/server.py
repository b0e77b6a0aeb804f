"""Uvicorn, as we run it."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.connections import ConnectionLimits, Guests
from gateway.http_protocol import GuardedProtocol

BACKLOG: Final = 2048
DELIVERED: Final = ConnectionLimits()
CUT_OFF_SECONDS: Final = 3.0
"""How long what is cut off may take to hand over its work, for which the domain takes two."""
READY_POLL: Final = 0.01
YOUNG_OBJECTS: Final = 10_000
"""
How many more objects there must be before the garbage collector looks at the new ones; Python's own is 700.

What waits for it takes memory, of which 50,000 would be 6 MB.
"""


class PortTaken(Exception):
    """The message says the way out."""


def listening_socket(host: str, port: int, *, variable: str = "PORT") -> socket.socket:
    """
    A bound socket; port 0 takes any. Raises PortTaken, naming the variable that chooses another.

    It names its protocol, since asyncio sends small answers without delay (TCP_NODELAY) only where it sees that.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as refused:
        listener.close()
        raise PortTaken(
            f"Cannot listen on {host}:{port} ({refused.strerror}). Choose another port: {variable}={port + 1}"
        ) from refused
    return listener


def configuration(
    app: ASGIApp, *, shutdown_seconds: int, limits: ConnectionLimits = DELIVERED
) -> uvicorn.Config:
    """
    Logs are ours, requests that run at SIGTERM may end, and the server does not name itself.

    Which proxies to believe is uvicorn's FORWARDED_ALLOW_IPS. Its own bound on connections is left alone: where that
    is reached it refuses everybody, those who were here before too, and in plain text.
    """
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=shutdown_seconds,
    )
    proxies = ProxyHeadersMiddleware(cast("Any", app), config.forwarded_allow_ips).trusted_hosts
    guests = Guests(limits, is_proxy=proxies.__contains__)
    # A protocol is a class to uvicorn, which only calls it.
    config.http = cast("type[asyncio.Protocol]", partial(GuardedProtocol, limits=limits, guests=guests))
    return config


def server(app: ASGIApp, *, shutdown_seconds: int, limits: ConnectionLimits = DELIVERED) -> uvicorn.Server:
    return uvicorn.Server(configuration(app, shutdown_seconds=shutdown_seconds, limits=limits))


def spare_the_collector() -> None:
    """
    Take what was made by now out of the garbage collector's sight, since it lives as long as the process.

    Otherwise every full collection looks at each function and class again: a sixth of the time of a page of
    payments. Answers are made of many small objects, nearly none of them in cycles, so that it may wait longer too.

    What is garbage by now stays, too: two thousand small objects, and to find them takes a fifth of a second.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    gc.enable()


class InnerServer(uvicorn.Server):
    """One of several in a program that listens to signals itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    app: ASGIApp,
    listener: socket.socket,
    *,
    shutdown_seconds: int,
    limits: ConnectionLimits = DELIVERED,
) -> AsyncIterator[None]:
    """Serve the application meanwhile; on the way out, let running requests end."""
    inner = InnerServer(configuration(app, shutdown_seconds=shutdown_seconds, limits=limits))
    task = asyncio.create_task(inner.serve(sockets=[listener]))
    try:
        while not inner.started and not task.done():  # noqa: ASYNC110 - uvicorn sets a flag, no event
            await asyncio.sleep(READY_POLL)
        yield
    finally:
        inner.should_exit = True
        await task
