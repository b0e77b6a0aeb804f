"""What lies around every handler, from the outside in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from web.body_limit import BodyLimit, BodyLimits
from web.envelope import Envelope
from web.error_boundary import ErrorBoundary
from web.health import LIVENESS, READINESS
from web.request_id import HEADER

ALLOWED_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
ALLOWED_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", HEADER)
RATE_HEADERS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
EXPOSED_HEADERS: Final = (
    HEADER,
    "Retry-After",
    "Idempotency-Key",
    "Idempotent-Replayed",
    "ETag",
    "Location",
    "Deprecation",
    "Sunset",
    "Link",
    *RATE_HEADERS,
)

Wrap = Callable[[ASGIApp], ASGIApp]

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """
    `allowed_origins` are exact, as a browser sends them: scheme, host, and a port where it is not the default.
    `slow_after` is after how many milliseconds a request is logged as slow; 0 is never.

    Raises ValueError for anything else, wildcards included.
    """

    allowed_origins: tuple[str, ...] = ()
    over_tls: bool = False
    body_limits: BodyLimits = field(default_factory=BodyLimits)
    rate_limiting: Wrap | None = None
    slow_after: int = 0

    def __post_init__(self) -> None:
        for origin in self.allowed_origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"This is not an origin such as https://app.example.com: {origin!r}")


def middleware(settings: HttpSettings) -> list[Middleware]:
    """
    The error boundary lies inside what writes the log and the headers, so that a 500 is logged and dressed like any
    other answer.
    """
    return [
        Middleware(
            Envelope,
            over_tls=settings.over_tls,
            quiet=(LIVENESS, READINESS),
            slow_after=settings.slow_after,
        ),
        *([_cors(settings.allowed_origins)] if settings.allowed_origins else []),
        Middleware(ErrorBoundary),
        *([Middleware(settings.rate_limiting)] if settings.rate_limiting else []),
        Middleware(BodyLimit, limits=settings.body_limits),
    ]


def _cors(origins: tuple[str, ...]) -> Middleware:
    """No credentials: a token is sent by the app that holds it, never by the browser on its own."""
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=ALLOWED_METHODS,
        allow_headers=ALLOWED_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        allow_credentials=False,
    )
