"""A whole gateway in this process, with a hundred payments and twenty of everything else to ask for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from domain.actor import Actor, Role
from domain.identity import new_id
from domain.ports import Database
from gateway.development import address
from gateway.embedded_postgres import EmbeddedPostgres
from gateway.server import listening_socket, serving
from gateway.settings import (
    DEVELOPMENT_JWT_SECRET,
    DEVELOPMENT_STRIPE_KEY,
    DEVELOPMENT_WEBHOOK_SECRET,
    Environment,
    Settings,
)
from gateway.wiring import Gateway, wire
from persistence.schema import migrate
from sandbox import Sandbox, SandboxSettings
from tests.gql.many_of_each import many_of_each
from tests.gql.many_payments import START, payment_of, stored

DATABASE = "payments"
LARGEST_PAGE = 100


async def furnish(database: Database) -> Actor:
    """Something to find for whoever sees all. An admin."""
    owner = Actor(role=Role.USER, user_id=new_id())
    payments = [
        payment_of(owner, at=START + timedelta(minutes=at), amount=900 + at, number=at)
        for at in range(LARGEST_PAGE)
    ]
    await stored(database, owner, payments)
    await many_of_each(database)
    return Actor(role=Role.ADMIN, user_id=new_id(), request_id="fuzz")


@asynccontextmanager
async def furnished_gateway(folder: Path) -> AsyncIterator[tuple[Gateway, Actor]]:
    async with bare_gateway(folder) as gateway:
        yield gateway, await furnish(gateway.services.database)


@asynccontextmanager
async def bare_gateway(folder: Path) -> AsyncIterator[Gateway]:
    with (
        EmbeddedPostgres(folder / "postgres", durable=False) as postgres,
        listening_socket("127.0.0.1", 0) as stripe,
    ):
        postgres.ensure_database(DATABASE)
        await asyncio.to_thread(migrate, postgres.url(DATABASE))
        sandbox = Sandbox(SandboxSettings(secret_key=DEVELOPMENT_STRIPE_KEY))
        async with serving(sandbox.app, stripe, shutdown_seconds=1):
            gateway = wire(settings_for(postgres.url(DATABASE), address(stripe)))
            yield gateway
            await gateway.close()


def settings_for(database_url: str, stripe: str) -> Settings:
    return Settings.model_validate(
        {
            "environment": Environment.DEVELOPMENT,
            "database_url": database_url,
            "stripe_secret_key": DEVELOPMENT_STRIPE_KEY,
            "stripe_webhook_secret": DEVELOPMENT_WEBHOOK_SECRET,
            "stripe_api_base": stripe,
            "jwt_secret": DEVELOPMENT_JWT_SECRET,
            "run_worker": False,
        }
    )
