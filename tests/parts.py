"""
A pytest plugin: the gateway's real parts on a real PostgreSQL and a real sandbox over HTTP.

No mocks: what a test sees is what a user gets, minus the network between hosts.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from stripe import HTTPXClient

from domain.actor import Actor, Role
from domain.command_service import CommandService, Executed
from domain.commands.add_payment_method import AddPaymentMethod
from domain.identity import new_id
from domain.ports import Database
from gateway.app import application
from gateway.development import address
from gateway.server import listening_socket, serving
from gateway.settings import (
    DEVELOPMENT_JWT_SECRET,
    DEVELOPMENT_STRIPE_KEY,
    DEVELOPMENT_WEBHOOK_SECRET,
    Environment,
    Settings,
)
from gateway.wiring import Gateway, wire
from persistence import schema
from sandbox import Sandbox, SandboxSettings
from tests.dashboard import Dashboard, merchants_client
from tests.sessions import left_behind
from tests.watched_processor import WatchedProcessor
from web.auth import development_token


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], None]:
    return schema.migrate


@dataclass(frozen=True, kw_only=True)
class RunningSandbox:
    sandbox: Sandbox
    url: str


class Stage:
    """One real server for the whole suite, behind which each test has a sandbox of its own."""

    url: str

    def __init__(self) -> None:
        self.app = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
async def sandbox_stage() -> AsyncIterator[Stage]:
    stage = Stage()
    with listening_socket("127.0.0.1", 0) as listener:
        async with serving(stage, listener, shutdown_seconds=1):
            stage.url = address(listener)
            yield stage


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    return SandboxSettings(secret_key=DEVELOPMENT_STRIPE_KEY)


@pytest.fixture
async def running_sandbox(
    sandbox_stage: Stage, sandbox_settings: SandboxSettings
) -> AsyncIterator[RunningSandbox]:
    """A sandbox with an empty memory, on a loopback port."""
    sandbox = Sandbox(sandbox_settings)
    async with sandbox.app.router.lifespan_context(sandbox.app):
        sandbox_stage.app = sandbox.app
        yield RunningSandbox(sandbox=sandbox, url=sandbox_stage.url)


@pytest.fixture
def sandbox(running_sandbox: RunningSandbox) -> Sandbox:
    return running_sandbox.sandbox


@pytest.fixture
def settings(database_url: str, running_sandbox: RunningSandbox, clean_tables: None) -> Settings:
    return Settings.model_validate(
        {
            "environment": Environment.DEVELOPMENT,
            "database_url": database_url,
            "stripe_secret_key": DEVELOPMENT_STRIPE_KEY,
            "stripe_webhook_secret": DEVELOPMENT_WEBHOOK_SECRET,
            "stripe_api_base": running_sandbox.url,
            "jwt_secret": DEVELOPMENT_JWT_SECRET,
            "debug_extension": True,
            "run_worker": False,
        }
    )


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    gateway = wire(settings, connect=WatchedProcessor.connected)
    yield gateway
    left = await left_behind(gateway.engine)
    await gateway.close()
    assert left == []


@pytest.fixture
def database(gateway: Gateway) -> Database:
    return gateway.services.database


@pytest.fixture
def commands(gateway: Gateway) -> CommandService:
    return gateway.services.commands


@pytest.fixture
def actor() -> Actor:
    """A user whom nobody has seen before."""
    return Actor(role=Role.USER, user_id=new_id(), request_id="test-request")


@pytest.fixture
def other_actor() -> Actor:
    return Actor(role=Role.USER, user_id=new_id(), request_id="test-request")


@pytest.fixture
def admin() -> Actor:
    return Actor(role=Role.ADMIN, user_id=new_id(), request_id="test-request")


@pytest.fixture
def add_card(commands: CommandService, actor: Actor) -> Callable[..., object]:
    """Saves one of Stripe's test cards for the actor, or for another; returns our id of it."""

    async def add(stripe_id: str = "pm_card_visa", *, by: Actor = actor, makes_default: bool = False) -> UUID:
        command = AddPaymentMethod(processor_method_id=stripe_id, makes_default=makes_default)
        executed: Executed = await commands.execute(by, command)
        return executed.operation.subject

    return add


@pytest.fixture
async def dashboard(gateway: Gateway, running_sandbox: RunningSandbox) -> AsyncIterator[Dashboard]:
    http = HTTPXClient()
    yield Dashboard(
        gateway=gateway, sandbox=running_sandbox.sandbox, client=merchants_client(running_sandbox.url, http)
    )
    await http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.


@pytest.fixture
def app(gateway: Gateway) -> Starlette:
    return application(gateway)


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """The whole HTTP surface in-process; the worker is not running."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def bearer(actor: Actor) -> dict[str, str]:
    """The headers of a signed-in caller."""
    token = development_token(DEVELOPMENT_JWT_SECRET, user_id=actor.known_id, role=actor.role)
    return {"Authorization": f"Bearer {token}"}
