"""Whatever order news comes in, how often, and whatever its time stamps say: what is known at the end is the same."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import islice, permutations
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from stripe import HTTPXClient

from domain.actor import Actor
from domain.errors import StateConflict
from domain.events import InboxEvent
from domain.payment_status import PaymentTrigger
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from persistence.tables import InvoiceRow, PaymentRow, SubscriptionRow, table_of
from processor import stripe_client
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Post, StripeEvent
from tests.watched_processor import WatchedProcessor

TRIGGERS: Final = {PaymentTrigger.SUBSCRIPTION_START, PaymentTrigger.DUNNING_RETRY}
PART: Final = 1 if os.environ.get("FULL") == "1" else 8
"""Of how many orders one is told: of all 720 with FULL=1, which `make chaos` sets."""
NOW: Final = datetime(2026, 12, 1, tzinfo=UTC)
OUR_OWN: Final = frozenset(
    {"id", "latest_invoice_id", "subscription_id", "invoice_id", "plan_id", "version", "readings"}
)
"""What is numbered here, or counts what was heard."""
PROVENANCE: Final = frozenset({"last_event_id", "synced_by", "history"})
"""And how we came to know, step by step."""


FAILED_AND_RECOVERED: Final = (
    ("customer.subscription.created", "incomplete"),
    ("invoice.paid", "paid"),
    ("payment_intent.payment_failed", "requires_payment_method"),
    ("customer.subscription.updated", "past_due"),
    ("payment_intent.succeeded", "succeeded"),
    ("customer.subscription.updated", "active"),
)
"""Of a subscription whose first renewal fails, and is paid at the next attempt."""


class ClientWithoutNetwork(HTTPXClient):
    """Stripe's own client in the process of the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._client_async = httpx.AsyncClient(transport=httpx.ASGITransport(app=sandbox.app))


@pytest.fixture
async def gateway(
    settings: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Gateway]:
    """As it is everywhere, but for its clock, which stands still, and for the network, which is left out."""

    monkeypatch.setattr(stripe_client, "NamedRequests", lambda **_: ClientWithoutNetwork(sandbox))
    gateway = wire(settings, connect=WatchedProcessor.connected, clock=lambda: NOW)
    yield gateway
    await gateway.close()


async def known(gateway: Gateway) -> list[dict[str, Any]]:
    """Everything that was written down about subscriptions, invoices and payments."""
    rows: list[dict[str, Any]] = []
    async with gateway.engine.connect() as connection:
        for kind in (SubscriptionRow, InvoiceRow, PaymentRow):
            for row in await connection.execute(table_of(kind).select()):
                told = row._mapping.items()
                rows.append({name: value for name, value in told if name not in OUR_OWN | PROVENANCE})
    return sorted(rows, key=str)


async def forget(gateway: Gateway) -> None:
    async with gateway.engine.begin() as connection:
        for table in ("entitlements", "payments", "invoices", "subscriptions", "inbox_events"):
            await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608  # Five names of our own.


def tied(events: Sequence[StripeEvent]) -> list[StripeEvent]:
    """The events as if all had happened in one second."""
    return [{**event, "created": events[0]["created"]} for event in events]


def last(events: Sequence[StripeEvent], kind: str, status: str) -> StripeEvent:
    """The last event of this type about an object in this state, and the first of an invoice that was paid."""
    of_it = [e for e in events if e["type"] == kind and e["data"]["object"]["status"] == status]
    return of_it[0] if kind == "invoice.paid" else of_it[-1]


class TestEveryOrder:
    """Seven hundred and twenty of them, by the event that comes first."""

    @pytest.mark.parametrize("first", range(6))
    async def test_of_six_events_and_their_repetitions_ends_in_one_state(
        self, first: int, dashboard: Dashboard, post: Post, actor: Actor, gateway: Gateway
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor)
        await dashboard.subscribes(customer, price)
        await dashboard.gives_card(customer, "pm_card_chargeCustomerFail")
        dashboard.passes(days=32)
        await dashboard.gives_card(customer, "pm_card_visa")
        dashboard.passes(days=4)
        six = tied([last(post.events(), *wanted) for wanted in FAILED_AND_RECOVERED])
        await post.deliver_all()
        expected = await known(gateway)
        others = [event for event in six if event is not six[first]]

        endings = []
        for order in islice(permutations(others), first % PART, None, PART):
            await forget(gateway)
            await post.deliver(six[first], *order, order[2])
            endings.append(await known(gateway))

        assert {row["trigger"] for row in expected if "trigger" in row} == TRIGGERS
        assert len(endings) == 120 // PART
        assert [ending for ending in endings if ending != expected] == []


class TestAllAtOnce:
    async def test_end_in_the_same_state_as_one_after_the_other(
        self, dashboard: Dashboard, post: Post, actor: Actor, gateway: Gateway
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor)
        await dashboard.subscribes(customer, price)
        dashboard.passes(days=32)
        await post.deliver_all()
        expected = await known(gateway)

        for _ in range(5):
            await forget(gateway)
            received = [await post.receive(event) for event in post.events()]
            handled = (handled_at_last(gateway, event) for event in received)
            await asyncio.gather(*handled)
            assert await known(gateway) == expected


async def handled_at_last(gateway: Gateway, event: InboxEvent) -> None:
    """As the worker does it: what was outrun is tried again."""
    for _ in range(20):
        try:
            return await gateway.webhooks.handle(event.id)
        except (StateConflict, IntegrityError):
            await asyncio.sleep(0.01)
    raise AssertionError(f"{event.type} was never handled")
