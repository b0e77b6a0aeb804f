"""A user who subscribes, and what Stripe has of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.access import AccessQuestion, AccessTarget
from domain.access_decision import AccessDecision
from domain.command_service import Executed
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.invoice import Invoice
from domain.payment import Payment
from domain.subscription import Subscription
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Shopper

StripeObject = dict[str, Any]

YEARLY: dict[str, Any] = {"recurring": {"interval": "year"}}


@dataclass(frozen=True, kw_only=True)
class Subscriber(Shopper):
    dashboard: Dashboard

    async def plan(self, amount: int = 1500, **choices: Any) -> UUID:
        """A plan that is sold from now on; 15.00 usd a month unless said otherwise."""
        price = await self.dashboard.sells(amount, **choices)
        await self.gateway.services.plans.know(price.id)
        async with self.gateway.services.database.reads() as reads:
            plan = await reads.plans.priced_as(price.id)
        assert plan is not None
        return plan.id

    async def subscribes(self, plan_id: UUID, *, key: str | None = None, **choices: Any) -> Subscription:
        return await self.made(CreateSubscription(plan_id=plan_id, **choices), key=key)

    async def made(self, command: Any, *, key: str | None = None) -> Subscription:
        return await self.subscription((await self.does(command, key=key)).operation.subject)

    async def subscription(self, subscription_id: UUID) -> Subscription:
        async with self.gateway.services.database.reads() as reads:
            subscription = await reads.subscriptions.get(subscription_id)
        assert subscription is not None
        return subscription

    async def access(self, feature: str) -> AccessDecision:
        question = AccessQuestion(user_id=self.actor.known_id, target=AccessTarget(feature=feature))
        [decision] = await self.gateway.services.access.decisions([question])
        return decision

    async def of(self, executed: Executed) -> Subscription:
        return await self.subscription(executed.operation.subject)

    async def invoice(self, subscription: Subscription) -> Invoice:
        """The latest."""
        assert subscription.latest_invoice_id is not None
        async with self.gateway.services.database.reads() as reads:
            invoice = await reads.invoices.get(subscription.latest_invoice_id)
        assert invoice is not None
        return invoice

    async def charge(self, subscription: Subscription) -> Payment:
        """The payment of the latest invoice."""
        invoice = await self.invoice(subscription)
        async with self.gateway.services.database.reads() as reads:
            [payment] = (await reads.payments.of_invoices([invoice.id], owner=None))[invoice.id]
        return payment


def live_at_stripe(sandbox: Sandbox) -> list[StripeObject]:
    """The subscriptions that go on."""
    ended = {"canceled", "incomplete_expired"}
    return [each for each in sandbox.objects.all("subscription") if each["status"] not in ended]


def at_stripe(sandbox: Sandbox, subscription: Subscription) -> StripeObject:
    found = sandbox.objects.find("subscription", subscription.processor_subscription_id or "")
    assert found is not None
    return found


def change(subscription: Subscription, plan_id: Any, **choices: Any) -> ChangePlan:
    return ChangePlan(subscription_id=subscription.id, plan_id=plan_id, **choices)
