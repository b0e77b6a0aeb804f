import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import uvicorn
from stripe import Customer, Price, StripeClient, Subscription

from sandbox import Sandbox, SandboxSettings
from tests.sandbox.billing import HALFWAY, NEW_YEAR, days_since, go_to, plan, stop_at, subscribe, subscriber
from tests.sandbox.serving import QuietServer, Receiver, RefereeingClient, Stage

HERE = Path(__file__).parent
# stripe hands its form to httpx in a way that httpx has deprecated; nothing of ours can change that.
STRIPES_OWN_WARNING = "ignore:Use 'content=:DeprecationWarning"
SECRET_KEY = "sk_test_sandbox"
PUBLISHABLE_KEY = "pk_test_sandbox"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings(STRIPES_OWN_WARNING))


@pytest.fixture(scope="session")
async def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="session")
async def url(stage: Stage) -> AsyncIterator[str]:
    server = QuietServer(uvicorn.Config(stage, port=0, lifespan="off", log_config=None, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    await server.listening.wait()
    yield server.url
    server.should_exit = True
    await serving


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    """It is New Year, whenever the tests run."""
    return SandboxSettings(
        webhook_backoff=(0.01, 0.02, 0.04), webhook_timeout=1, begins_days_ago=days_since(NEW_YEAR)
    )


@pytest.fixture
async def sandbox(stage: Stage, sandbox_settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(sandbox_settings)
    async with sandbox.app.router.lifespan_context(sandbox.app):
        stage.app = sandbox.app
        yield sandbox


@pytest.fixture
def receiver(stage: Stage) -> Receiver:
    stage.receiver = Receiver()
    return stage.receiver


@pytest.fixture(scope="session")
async def refereeing() -> AsyncIterator[RefereeingClient]:
    client = RefereeingClient()
    yield client
    await client.close_async()  # type: ignore[no-untyped-call]  # stripe's method is untyped.


@pytest.fixture
def client(sandbox: Sandbox, url: str, refereeing: RefereeingClient) -> StripeClient:
    return StripeClient(
        SECRET_KEY, base_addresses={"api": url}, http_client=refereeing, max_network_retries=0
    )


@pytest.fixture
async def http(sandbox: Sandbox, url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """For what the Stripe client cannot do: wrong requests, publishable keys, pages, and the controls."""
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, verify=False) as http:
        yield http


@pytest.fixture
async def customer(client: StripeClient) -> Customer:
    return await client.v1.customers.create_async({"name": "Ada", "email": "ada@example.com"})


@pytest.fixture
async def ada(client: StripeClient, sandbox: Sandbox) -> Customer:
    """A customer with a good card; it is 1 April 2027, and stays so until a test moves on."""
    stop_at(sandbox, "2027-04-01T00:00:00")
    return await subscriber(client)


@pytest.fixture
async def basic(client: StripeClient) -> Price:
    return await plan(client, 3000)


@pytest.fixture
async def pro(client: StripeClient) -> Price:
    return await plan(client, 9000)


@pytest.fixture
async def yearly(client: StripeClient) -> Price:
    return await plan(client, 60_000, "year")


@pytest.fixture
async def subscription(client: StripeClient, sandbox: Sandbox, ada: Customer, basic: Price) -> Subscription:
    """Bought on 1 April, and now it is the middle of the month."""
    made = await subscribe(client, ada, basic)
    go_to(sandbox, HALFWAY)
    return made
