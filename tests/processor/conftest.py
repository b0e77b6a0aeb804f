from collections.abc import AsyncIterator, Iterator

import pytest
from stripe import HTTPXClient

from gateway.settings import DEVELOPMENT_STRIPE_KEY
from processor import stripe_calls, stripe_processor
from processor.stripe_processor import StripeProcessor
from sandbox import Sandbox
from tests.parts import RunningSandbox

Request = tuple[str, str, dict[str, str]]


class NotingClient(HTTPXClient):
    """Stripe's own HTTP client, which notes method, address and headers of every request."""

    noted: list[Request]

    async def request_async(  # type: ignore[no-untyped-def]  # The parameters are those of the untyped method of stripe.
        self, method, url, headers, post_data=None
    ):
        self.noted.append((method, url, headers))
        return await super().request_async(method, url, headers, post_data)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What the processor sent, in order."""
    noted: list[Request] = []
    monkeypatch.setattr(NotingClient, "noted", noted, raising=False)
    monkeypatch.setattr(stripe_processor, "HTTPXClient", NotingClient)
    return noted


@pytest.fixture
async def processor(
    requests: list[Request], running_sandbox: RunningSandbox
) -> AsyncIterator[StripeProcessor]:
    processor = StripeProcessor.connected(DEVELOPMENT_STRIPE_KEY, api_base=f"{running_sandbox.url}/")
    yield processor
    await processor.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Iterator[None]:
    """No pauses between attempts, a deadline that a test can wait for, and no faulty request outlives it."""
    monkeypatch.setattr(stripe_calls, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(stripe_calls, "LONGEST_PAUSE", 0.001)
    monkeypatch.setattr(stripe_calls, "DEADLINE", 0.25)
    yield
    sandbox.faults.release()
