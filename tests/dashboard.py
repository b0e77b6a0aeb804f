"""What happens at Stripe past the gateway, which hears of it by events: plans are sold, time passes, cards fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from stripe import HTTPXClient, Price, StripeClient
from stripe import Subscription as StripeSubscription

from domain.actor import Actor
from domain.audit import AuditRecord
from domain.invoice import Invoice
from domain.operation import ObjectKind
from domain.paging import Slice
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.plan import Plan
from domain.subscription import Subscription
from gateway.settings import DEVELOPMENT_STRIPE_KEY
from gateway.wiring import Gateway
from processor.stripe_client import API_VERSION
from sandbox import Sandbox

DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """What our merchant does at Stripe itself, past the gateway; and what the gateway made of it."""

    gateway: Gateway
    sandbox: Sandbox
    client: StripeClient

    async def sells(self, amount: int = 1500, **choices: Any) -> Price:
        usual = {
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Films", "metadata": {"features": "films,downloads"}},
        }
        given = {name: value for name, value in {**usual, **choices}.items() if value is not None}
        return await self.client.v1.prices.create_async(cast("Any", given))

    async def customer_of(self, actor: Actor, card: str = "pm_card_visa") -> str:
        """The user's customer, who pays with this card."""
        customer = await self.customer_without_card(actor)
        await self.gives_card(customer, card)
        return customer

    async def customer_without_card(self, actor: Actor) -> str:
        account = await self.gateway.services.customers.with_customer(actor.known_id, by=actor)
        return account.customer_id

    async def gives_card(self, customer: str, card: str) -> str:
        method = await self.client.v1.payment_methods.attach_async(card, {"customer": customer})
        await self.client.v1.customers.update_async(
            customer, {"invoice_settings": {"default_payment_method": method.id}}
        )
        return method.id

    async def subscribes(self, customer: str, price: Price, **choices: Any) -> StripeSubscription:
        params = {"customer": customer, "items": [{"price": price.id}], **choices}
        return await self.client.v1.subscriptions.create_async(cast("Any", params))

    async def updates(self, subscription: StripeSubscription, **changes: Any) -> StripeSubscription:
        return await self.client.v1.subscriptions.update_async(subscription.id, cast("Any", changes))

    def passes(self, days: float) -> None:
        """So much time passes at Stripe, with all that falls due meanwhile."""
        self.sandbox.advance(int(days * DAY))

    def now(self) -> datetime:
        """At Stripe."""
        return datetime.fromtimestamp(self.sandbox.clock.now(), UTC)

    async def subscription(self, known_there_as: str) -> Subscription:
        async with self.gateway.services.database.reads() as reads:
            found = await reads.subscriptions.known_as(known_there_as)
            subscription = None if found is None else await reads.subscriptions.get(found)
        assert subscription is not None
        return subscription

    async def invoices(self, subscription: Subscription) -> Sequence[Invoice]:
        """The oldest first."""
        async with self.gateway.services.database.reads() as reads:
            found = [
                await reads.invoices.known_as(invoice["id"])
                for invoice in self.sandbox.objects.all("invoice")
            ]
            by_id = await reads.invoices.by_ids([each for each in found if each], owner=None)
        of_it = [invoice for invoice in by_id.values() if invoice.subscription_id == subscription.id]
        return sorted(of_it, key=lambda invoice: (invoice.created_at, invoice.processor_invoice_id))

    async def payments(self, subscription: Subscription) -> Sequence[Payment]:
        """The oldest first."""
        wanted = PaymentFilter(subscription_id=subscription.id)
        async with self.gateway.services.database.reads() as reads:
            found = await reads.payments.listed(wanted, PaymentOrder(), Slice(limit=100))
        return list(reversed(found))

    async def plans(self) -> Sequence[Plan]:
        return await self.gateway.services.plans.listed(active_only=False)

    async def history(self, subscription_id: UUID) -> Sequence[AuditRecord]:
        async with self.gateway.services.database.reads() as reads:
            return await reads.audit.of_object(ObjectKind.SUBSCRIPTION, subscription_id)


def merchants_client(url: str, http: HTTPXClient) -> StripeClient:
    """Stripe's own client, as the merchant's other programs use it."""
    return StripeClient(
        DEVELOPMENT_STRIPE_KEY, stripe_version=API_VERSION, base_addresses={"api": url}, http_client=http
    )
