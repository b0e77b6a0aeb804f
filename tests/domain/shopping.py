"""What the domain's tests do over and over: a user at the till, and the post between Stripe and us."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import orjson

from domain.actor import Actor
from domain.command_service import Executed
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.command import Command
from domain.commands.create_payment import CreatePayment
from domain.commands.refunds import RefundPayment
from domain.dispute import Dispute
from domain.events import InboxEvent
from domain.identity import new_id
from domain.money import Money
from domain.operation import Operation
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.refund import Refund, RefundReason
from gateway.settings import DEVELOPMENT_STRIPE_KEY, DEVELOPMENT_WEBHOOK_SECRET
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.webhooks.sender import signature
from tests import waiting

COFFEE = Money(minor=450, currency="EUR")

StripeEvent = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shopper:
    """A user of the gateway, and what they can see of it."""

    gateway: Gateway
    actor: Actor

    async def does(self, command: Command[Any, Any], *, key: str | None = None) -> Executed:
        """Under a key of its own where none is named."""
        given = f"key-{new_id()}" if key is None else key
        return await self.gateway.services.commands.execute(self.actor, command, key=given)

    async def saves(self, card: str = "pm_card_visa", *, makes_default: bool = False) -> UUID:
        """A card saved; our id of it."""
        command = AddPaymentMethod(processor_method_id=card, makes_default=makes_default)
        return (await self.does(command)).operation.subject

    async def pays(self, amount: Money = COFFEE, *, key: str | None = None, **choices: Any) -> Payment:
        executed = await self.does(CreatePayment(amount=amount, **choices), key=key)
        return await self.payment(executed.operation.subject)

    async def payment(self, payment_id: UUID) -> Payment:
        async with self.gateway.services.database.reads() as reads:
            payment = await reads.payments.get(payment_id)
        assert payment is not None
        return payment

    async def gives_back(
        self, payment: Payment, minor: int | None = None, *, key: str | None = None, **choices: Any
    ) -> Refund:
        """A refund of so many minor units, or of all that is left, as it is after that."""
        amount = None if minor is None else Money(minor=minor, currency=payment.currency)
        reason = choices.pop("reason", RefundReason.CUSTOMER_REQUEST)
        command = RefundPayment(payment_id=payment.id, amount=amount, reason=reason, **choices)
        return await self.refund((await self.does(command, key=key)).operation.subject)

    async def refund(self, refund_id: UUID) -> Refund:
        async with self.gateway.services.database.reads() as reads:
            refund = await reads.refunds.get(refund_id)
        assert refund is not None
        return refund

    async def refunds(self, payment: Payment) -> list[Refund]:
        """The oldest first."""
        async with self.gateway.services.database.reads() as reads:
            found = await reads.refunds.of_payments([payment.id], owner=None)
        return list(found.get(payment.id, []))

    async def disputes(self, payment: Payment) -> list[Dispute]:
        """The oldest first."""
        async with self.gateway.services.database.reads() as reads:
            found = await reads.disputes.of_payments([payment.id], owner=None)
        return list(found.get(payment.id, []))

    async def method(self, method_id: UUID) -> PaymentMethod:
        async with self.gateway.services.database.reads() as reads:
            method = await reads.payment_methods.get(method_id)
        assert method is not None
        return method

    async def methods(self, *, with_detached: bool = False) -> list[PaymentMethod]:
        owner = self.actor.known_id
        async with self.gateway.services.database.reads() as reads:
            found = await reads.payment_methods.of_users([owner], owner=None, with_detached=with_detached)
        return list(found.get(owner, []))

    async def operation(self, mutation: str, key: str) -> Operation:
        async with self.gateway.services.database.reads() as reads:
            operation = await reads.operations.find(self.actor.known_id, mutation, key)
        assert operation is not None
        return operation


@dataclass(frozen=True, kw_only=True)
class Post:
    """Carries the sandbox's events to the gateway when a test says so, in the order that it says."""

    gateway: Gateway
    sandbox: Sandbox
    carried: set[str] = field(default_factory=set)
    """The ids of the events that were delivered by now."""

    def events(self, *types: str) -> list[StripeEvent]:
        """Everything that has happened, oldest first; or only what is of these types."""
        happened = list(self.sandbox.objects.all("event"))
        return [event for event in happened if not types or event["type"] in types]

    async def receive(self, event: StripeEvent) -> InboxEvent:
        return await self.gateway.webhooks.receive(*signed(orjson.dumps(event)))

    async def deliver(self, *events: StripeEvent) -> None:
        """Received and handled, one after the other."""
        for event in events:
            received = await self.receive(event)
            await self.gateway.webhooks.handle(received.id)
            self.carried.add(event["id"])

    async def deliver_all(self) -> None:
        """What has happened since the last delivery."""
        await self.deliver(*(event for event in self.events() if event["id"] not in self.carried))

    async def stored(self, received: InboxEvent) -> InboxEvent:
        async with self.gateway.services.database.reads() as reads:
            event = await reads.inbox.get(received.id)
        assert event is not None
        return event


@dataclass(frozen=True, kw_only=True)
class Cardholder:
    """What happens beside the gateway: on the bank's page, and in the app that speaks to Stripe itself."""

    sandbox: Sandbox
    url: str

    async def answers(self, intent_id: str, *, outcome: str = "complete") -> None:
        """Answers the question of the bank's page: `complete` or `fail`."""
        kind = "setup_intent" if intent_id.startswith("seti_") else "payment_intent"
        intent = self.sandbox.objects.find(kind, intent_id)
        assert intent is not None
        await self._post(intent["next_action"]["use_stripe_sdk"]["stripe_js"], outcome=outcome)

    async def confirms(self, intent_id: str, card: str = "pm_card_visa") -> httpx2.Response:
        kind = "setup_intents" if intent_id.startswith("seti_") else "payment_intents"
        return await self._post(f"{self.url}/v1/{kind}/{intent_id}/confirm", payment_method=card)

    async def enters_card(self, *, exp_year: int = 2034) -> str:
        """A method that nobody has saved yet; Stripe's id of it."""
        form = {
            "type": "card",
            "card[number]": "4242424242424242",
            "card[exp_month]": "12",
            "card[exp_year]": str(exp_year),
        }
        made = await self._post(f"{self.url}/v1/payment_methods", **form)
        return str(made.json()["id"])

    async def _post(self, url: str, **form: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {DEVELOPMENT_STRIPE_KEY}"}
        async with httpx2.AsyncClient(headers=headers, verify=False) as client:
            return await client.post(url, data=form)


def signed(body: bytes, *, secret: str = DEVELOPMENT_WEBHOOK_SECRET, at: float = 0) -> tuple[bytes, str]:
    """The body with Stripe's header, made `at` seconds from now."""
    return body, signature(body, secret, int(time.time() + at))


async def until(happened: Callable[[], object]) -> None:
    """Waits for what happens on the sandbox's side, which nothing here is told of."""

    async def has_happened() -> object:
        return happened()

    await waiting.until(has_happened)


def captures(sandbox: Sandbox) -> int:
    """How often money was collected, by Stripe's own books."""
    return int(sandbox.ledger()["totals"]["captures"])
