from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from domain.payment import Payment
from domain.payment_method import MethodFacts
from gateway.settings import DEVELOPMENT_STRIPE_KEY
from processor import stripe_calls, stripe_client
from processor.stripe_client import NamedRequests
from processor.stripe_processor import StripeProcessor
from sandbox import Sandbox
from tests.domain.values import OWNER, a_payment
from tests.parts import RunningSandbox

Request = tuple[str, str, dict[str, str]]


class NotingClient(NamedRequests):
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
    monkeypatch.setattr(stripe_client, "NamedRequests", NotingClient)
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
    """No pauses between attempts, none of which waits long for its answer; no faulty request outlives the test."""
    monkeypatch.setattr(stripe_calls, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(stripe_calls, "LONGEST_PAUSE", 0.001)
    monkeypatch.setattr(stripe_client, "TIMEOUT", 0.2)
    yield
    sandbox.faults.release()


@pytest.fixture
async def customer(processor: StripeProcessor) -> str:
    return await processor.create_customer(OWNER, key="cus-key-1")


@pytest.fixture
async def card(processor: StripeProcessor, customer: str) -> MethodFacts:
    return await processor.attach_method("pm_card_visa", customer, key="card-key-1")


@pytest.fixture
def payment(customer: str, card: MethodFacts) -> Payment:
    now = datetime.now(UTC)
    return a_payment(
        processor_customer_id=customer, processor_method_id=card.processor_method_id, created_at=now
    )
