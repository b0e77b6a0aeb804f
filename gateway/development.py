"""Everything in one process for development: `make run`."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from socket import socket
from typing import Final

import typer
import uvloop

from domain.actor import Actor
from gateway.app import GRAPHQL, STRIPE_WEBHOOK, application
from gateway.demo import ADMIN, PEOPLE, USER, caught_up_with, load_demo, remember, remembered
from gateway.development_key import development_key
from gateway.embedded_postgres import EmbeddedPostgres
from gateway.server import listening_socket, serving, spare_the_collector
from gateway.settings import (
    DEVELOPMENT_JWT_SECRET,
    DEVELOPMENT_STRIPE_KEY,
    DEVELOPMENT_WEBHOOK_SECRET,
    Environment,
    Settings,
)
from gateway.time_machine import CLOCK, clock_of, clock_route
from gateway.wiring import Gateway, wire
from gql.explorer.page import Configuration, configuration
from persistence.schema import migrate
from sandbox import Sandbox, SandboxSettings, WebhookTarget
from sandbox.control.weather import rough
from web.auth import development_token
from web.logs import configure_logs
from web.rest.reference.page import REFERENCE

DATABASE: Final = "payments"
SHUTDOWN_SECONDS: Final = 1
LOOK_SECONDS: Final = 0.5
"""How often PostgreSQL is looked after."""
TOKEN_LIFETIME: Final = timedelta(days=7)
NOTICE: Final = "Demo data, and a sandbox instead of Stripe: no money moves."


def develop() -> None:
    """
    Run until Ctrl-C or SIGTERM, with the data in ./var (or DATA_FOLDER) kept between runs.

    Raises PortTaken and EmbeddedPostgresError, whose messages say the way out.
    """
    asked = Settings(environment=Environment.DEVELOPMENT)
    folder = asked.data_folder.resolve()
    with ExitStack() as opened:
        api = opened.enter_context(listening_socket(asked.host, asked.port))
        stripe = opened.enter_context(
            listening_socket(asked.host, asked.sandbox_port, variable="SANDBOX_PORT")
        )
        with step("PostgreSQL"):
            postgres = opened.enter_context(EmbeddedPostgres(folder / "postgres"))
            postgres.ensure_database(DATABASE)
        with step("Migrations"):
            migrate(postgres.url(DATABASE))
        settings = development_settings(
            postgres.url(DATABASE), address(api), address(stripe), statement_key=development_key(folder)
        )
        configure_logs(as_json=False, level=os.environ.get("LOG_LEVEL", "WARNING"))
        uvloop.run(run(settings, folder, api, stripe, postgres))


async def run(
    settings: Settings, folder: Path, api: socket, stripe: socket, postgres: EmbeddedPostgres
) -> None:
    """The sandbox outlives the gateway, so that payments which are under way at the end come to theirs."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    sandbox = Sandbox(sandbox_settings(folder, address(api), days_behind=settings.demo_days))
    gateway = wire(settings, clock=clock_of(sandbox))
    explorer = Explorer(settings)
    async with (
        serving(sandbox.app, stripe, shutdown_seconds=SHUTDOWN_SECONDS),
        serving(
            application(
                gateway,
                configure_explorer=explorer.configuration,
                more_routes=[clock_route(sandbox)],
            ),
            api,
            shutdown_seconds=SHUTDOWN_SECONDS,
            limits=settings.connection_limits,
        ),
    ):
        sandbox.advance(0)  # What came due while nothing ran happens now.
        with step("Demo data"):
            explorer.told = await demo_objects(gateway, sandbox, folder / "demo.json")
        spare_the_collector()
        typer.echo(banner(settings, folder, address(api), address(stripe)))
        begin_chaos(sandbox, settings.sandbox_chaos)
        await revive_until(stopping, postgres)
        typer.echo("\nStopping …")


async def revive_until(stopping: asyncio.Event, postgres: EmbeddedPostgres) -> None:
    """A server that was killed comes back, since whatever else runs here has survived. Raises EmbeddedPostgresError."""
    while not stopping.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await stopping.wait()
        if postgres.has_ended and not stopping.is_set():
            typer.echo("\n  PostgreSQL has ended, though nobody stopped it.")
            with step("PostgreSQL"):
                await asyncio.to_thread(postgres.restart)


def begin_chaos(sandbox: Sandbox, seed: int | None) -> None:
    """Only once the demo data is there, and only if it was asked for."""
    if seed is not None:
        sandbox.chaos.begin(rough(seed))
        typer.echo(f"\n  The sandbox has a bad day, with seed {seed}.")


async def demo_objects(gateway: Gateway, sandbox: Sandbox, file: Path) -> dict[str, str]:
    """Made at the first start, and kept in the file for later ones."""
    if told := remembered(file):
        return told
    told = await load_demo(gateway, sandbox, caught_up_with(gateway, sandbox))
    remember(told, file)
    return told


class Explorer:
    """What GraphiQL opens with: tokens, the ids of demo objects, and the sandbox's clock."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.told: dict[str, str] = {}

    async def configuration(self) -> Configuration:
        people = {name: f"Bearer {token(self._settings, person)}" for name, person in PEOPLE.items()}
        return configuration(GRAPHQL, people, self.told, notice=NOTICE, clock=CLOCK)


def development_settings(database_url: str, api: str, stripe: str, *, statement_key: str = "") -> Settings:
    """The environment's settings, with everything that could reach real money replaced."""
    return Settings.model_validate(
        Settings(environment=Environment.DEVELOPMENT).model_dump()
        | {
            "database_url": database_url,
            "stripe_secret_key": DEVELOPMENT_STRIPE_KEY,
            "stripe_webhook_secret": DEVELOPMENT_WEBHOOK_SECRET,
            "stripe_api_base": stripe,
            "jwt_secret": DEVELOPMENT_JWT_SECRET,
            "jwt_jwks_url": None,
            "access_statement_keys": statement_key,
            "explorer": True,
            "debug_extension": True,
            "run_worker": True,
            "shutdown_seconds": SHUTDOWN_SECONDS,
        }
    )


def sandbox_settings(folder: Path, api: str, *, days_behind: int = 0) -> SandboxSettings:
    return SandboxSettings(
        secret_key=DEVELOPMENT_STRIPE_KEY,
        state=folder / "sandbox.sqlite",
        begins_days_ago=days_behind,
        dunning_end="unpaid",
        webhooks=(WebhookTarget(url=f"{api}{STRIPE_WEBHOOK}", secret=DEVELOPMENT_WEBHOOK_SECRET),),
    )


def token(settings: Settings, actor: Actor) -> str:
    return development_token(
        settings.jwt_secrets[0],
        user_id=actor.known_id,
        role=actor.role,
        lifetime=TOKEN_LIFETIME,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )


def address(listener: socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def banner(settings: Settings, folder: Path, api: str, stripe: str) -> str:
    return f"""
  GraphiQL   {api}{GRAPHQL}
  REST       {api}{REFERENCE}
  Sandbox    {stripe}

  Tokens (valid for {TOKEN_LIFETIME.days} days):
  demo user  {token(settings, USER)}
  admin      {token(settings, ADMIN)}

  Ctrl-C stops everything; the data stays in {folder}."""


@contextmanager
def step(name: str) -> Iterator[None]:
    typer.echo(f"  {name} … ", nl=False)
    started = time.perf_counter()
    came_to = "failed"
    try:
        yield
        came_to = f"ready ({time.perf_counter() - started:.1f} s)"
    finally:
        typer.echo(came_to)
