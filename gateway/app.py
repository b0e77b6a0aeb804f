"""The ASGI application."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from socket import socket

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from domain.errors import Unauthenticated
from gateway.graphql import policy_of
from gateway.server import CUT_OFF_SECONDS
from gateway.settings import Settings
from gateway.settings.metrics import MOST_OPERATIONS
from gateway.wiring import Gateway, wire
from gql.debug import DebuggingExecutor
from gql.execution import Executor
from gql.explorer.page import Configuration, configuration
from gql.policy import Policy
from gql.schema import printed
from gql.trusted_documents import TrustedDocument
from persistence.engine import is_reachable
from web.access_statements import jwks_route
from web.auth import Authentication
from web.body_limit import BodyLimits
from web.errors import EXCEPTION_HANDLERS
from web.explorer import Configure, PageOr, explorer_routes
from web.express import Express
from web.graphql import GraphQL, rate_limited
from web.health import health_routes
from web.http_metrics import HttpMetrics
from web.middleware import HttpSettings, Wrap, middleware
from web.openapi import openapi_route
from web.rates.limiting import RateLimiting
from web.rates.limits import RateLimits
from web.rates.rules import NO_RATES, Limit
from web.reference import reference_routes
from web.rest.routes import rest_routes
from web.running_requests import RunningRequests
from web.webhooks import stripe_webhook

GRAPHQL = "/graphql"
STRIPE_WEBHOOK = "/api/v1/payments/webhooks/stripe"
STRIPE_WEBHOOKS = (STRIPE_WEBHOOK, f"{STRIPE_WEBHOOK}/")
LARGEST_EVENT = 1024 * 1024
WORKER_SECONDS = 5
"""How long jobs may take to end, after the requests."""

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    settings: Settings, *, policy: Policy | None = None, metrics: socket | None = None
) -> Starlette:
    """The whole gateway, with its worker and GraphiQL where the settings say so; metrics on a socket of their own."""
    explorer = without_token if settings.explorer else None
    return application(wire(settings), policy=policy, configure_explorer=explorer, metrics=metrics)


def application(
    gateway: Gateway,
    *,
    policy: Policy | None = None,
    configure_explorer: Configure | None = None,
    more_routes: Sequence[BaseRoute] = (),
    metrics: socket | None = None,
) -> Starlette:
    """Without a policy it is what the settings say: raises UnfitManifest where their trusted documents are not fit."""
    requests = RunningRequests()
    chosen = policy or policy_of(gateway.settings)
    graphql = graphql_route(gateway, chosen, with_page=configure_explorer is not None)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with gateway.measured(metrics), gateway.following_keys(), working(gateway):
            yield
        await requests.ended(within=CUT_OFF_SECONDS)
        await gateway.close()

    return Starlette(
        lifespan=lifespan,
        routes=[*more_routes, graphql, *routes(gateway, chosen, configure_explorer)],
        middleware=[
            Middleware(requests.watched),
            *metering(gateway, chosen, metrics),
            *([gateway.traces.requests()] if gateway.traces else []),
            *middleware(
                HttpSettings(
                    allowed_origins=gateway.settings.allowed_origins,
                    over_tls=gateway.settings.is_production,
                    body_limits=body_limits(gateway.settings),
                    rate_limiting=rate_limiting(gateway.rate_limits, gateway.authentication),
                    slow_after=gateway.settings.log_slow_milliseconds,
                )
            ),
            Middleware(Express, routes=[graphql]),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )


def body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(
        default_bytes=settings.max_body_bytes,
        by_path=dict.fromkeys(STRIPE_WEBHOOKS, LARGEST_EVENT),
        read_seconds=settings.body_seconds,
    )


def rate_limiting(limits: RateLimits, authentication: Authentication) -> Wrap | None:
    if limits.rules == NO_RATES:
        return None
    return partial(
        RateLimiting,
        limits=limits,
        authentication=authentication,
        limits_of=dict.fromkeys(STRIPE_WEBHOOKS, Limit.WEBHOOKS),
        refusals={GRAPHQL: rate_limited},
    )


def metering(gateway: Gateway, policy: Policy, metrics: socket | None) -> list[Middleware]:
    """Nothing is counted that nobody can read."""
    if metrics is None:
        return []
    return [
        Middleware(HttpMetrics, operations=gateway.settings.metric_operations or named_in(policy.trusted))
    ]


def named_in(trusted: Sequence[TrustedDocument]) -> Sequence[str]:
    """The operations of trusted documents, as many as can be told apart."""
    names = (name for each in trusted for name in each.document.costs if name)
    return tuple(islice(names, MOST_OPERATIONS))


def graphql_route(gateway: Gateway, policy: Policy, *, with_page: bool) -> Route:
    executor = DebuggingExecutor(policy) if gateway.settings.debug_extension else Executor(policy)
    if gateway.traces:
        executor = gateway.traces.executor(executor)
    graphql = GraphQL(executor, gateway.authentication, gateway.services, gateway.rate_limits)
    return Route(GRAPHQL, PageOr(graphql) if with_page else graphql, methods=["GET", "POST"])


def routes(gateway: Gateway, policy: Policy, configure_explorer: Configure | None) -> list[BaseRoute]:
    found: list[BaseRoute] = [
        *health_routes(checks(gateway)),
        Route(f"{GRAPHQL}/schema.graphql", schema_text(policy, gateway.authentication)),
        jwks_route(gateway.statements),
    ]
    if gateway.settings.webhook_secrets:
        receive = stripe_webhook(gateway.webhooks)
        found += [Route(path, receive, methods=["POST"]) for path in STRIPE_WEBHOOKS]
    found.append(openapi_route())
    if configure_explorer:
        found += [*explorer_routes(configure_explorer), *reference_routes()]
    found += rest_routes(
        gateway.authentication, gateway.services, gateway.settings.legacy, gateway.rate_limits
    )
    return found


async def without_token() -> Configuration:
    """GraphiQL outside development: whoever opens it brings a token."""
    return configuration(GRAPHQL, {}, {})


def schema_text(policy: Policy, authentication: Authentication) -> Endpoint:
    """For those who may ask for it by introspection too."""

    async def text(request: Request) -> Response:
        if not policy.introspection:
            raise HTTPException(404)
        if not policy.tells_schema_to(await authentication.actor(request.scope)):
            raise Unauthenticated("The schema is told to callers with a token.")
        return PlainTextResponse(printed())

    return text


def checks(gateway: Gateway) -> Mapping[str, Callable[[], Awaitable[object]]]:
    async def database() -> bool:
        return await is_reachable(gateway.engine)

    return {"database": database}


@asynccontextmanager
async def working(gateway: Gateway) -> AsyncIterator[None]:
    """With the worker beside the server, if the settings say so."""
    if not gateway.settings.run_worker:
        yield
        return
    from gateway.worker import Worker, cut_off  # With the job queue, of which other servers are spared.

    worker = Worker(gateway)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await cut_off(task, after=min(gateway.settings.shutdown_seconds, WORKER_SECONDS))
