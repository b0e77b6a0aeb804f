"""What the stories of GraphiQL are about: the demo user's own objects, by the stories' placeholders."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain.actor import Actor
from domain.command_service import Executed
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.command import Command
from domain.commands.create_payment import CreatePayment
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.money import Money
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.payment_status import CaptureMethod
from domain.plan import Plan
from domain.subscription import Subscription
from gateway.demo.people import USER
from gateway.wiring import Gateway
from gql.ids import global_id

CARDS: Final = {
    "card:everyday": "pm_card_visa",
    "card:authentication-required": "pm_card_authenticationRequired",
    "card:declined": "pm_card_chargeCustomerFail",
    "card:disputing": "pm_card_createDispute",
}
EVERYDAY: Final = "card:everyday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    amount: Money
    description: str
    card: str = EVERYDAY
    media_item_id: str | None = None
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC


PURCHASES: Final[Mapping[str, Purchase]] = {
    "payment:film": Purchase(
        amount=Money(minor=1299, currency="EUR"),
        description="Film: The Quiet Harbour",
        media_item_id="film-quiet-harbour",
    ),
    "payment:episode": Purchase(amount=Money(minor=499, currency="USD"), description="Episode pass"),
    "payment:concert": Purchase(
        amount=Money(minor=1800, currency="JPY"),
        description="Concert recording",
        media_item_id="concert-kyoto",
    ),
    "payment:declined": Purchase(
        amount=Money(minor=2500, currency="GBP"), description="Season ticket", card="card:declined"
    ),
    "payment:authorized": Purchase(
        amount=Money(minor=8900, currency="EUR"),
        description="Festival pass, collected when it ships",
        capture_method=CaptureMethod.MANUAL,
    ),
    "payment:disputed": Purchase(
        amount=Money(minor=350, currency="EUR"),
        description="Short film",
        card="card:disputing",
        media_item_id="short-tide",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Showcase:
    gateway: Gateway
    plans: Mapping[str, Plan]

    async def before_the_season(self) -> dict[str, str]:
        """The cards; those of what has a history come before it is lived through."""
        cards = {
            name: await self._made(
                AddPaymentMethod(processor_method_id=card, makes_default=name == EVERYDAY), f"demo-{name}"
            )
            for name, card in CARDS.items()
        }
        return {name: global_id(PaymentMethod, card) for name, card in cards.items()}

    async def with_failing_trial(self, cards: Mapping[str, str]) -> dict[str, str]:
        """A trial whose first renewal will be refused, some days before the present."""
        failing = CreateSubscription(
            plan_id=self.plans["plus"].id, payment_method_id=self._method(cards, "card:declined")
        )
        made = await self._made(failing, "demo-subscription:failing")
        return {"subscription:failing": global_id(Subscription, made)}

    async def at_present(self, cards: Mapping[str, str]) -> dict[str, str]:
        told: dict[str, str] = {f"plan:{code}": global_id(Plan, plan.id) for code, plan in self.plans.items()}
        for name, purchase in PURCHASES.items():
            payment = CreatePayment(
                amount=purchase.amount,
                payment_method_id=self._method(cards, purchase.card),
                description=purchase.description,
                media_item_id=purchase.media_item_id,
                capture_method=purchase.capture_method,
            )
            told[name] = global_id(Payment, await self._made(payment, f"demo-{name}"))
        streaming = CreateSubscription(plan_id=self.plans["basic"].id)
        begun = await self._made(streaming, "demo-subscription:streaming")
        return told | {"subscription:streaming": global_id(Subscription, begun)}

    def _method(self, cards: Mapping[str, str], name: str) -> UUID:
        return UUID(hex=cards[name].partition("_")[2])

    async def _made(self, command: Command[Any, Any], key: str, by: Actor = USER) -> UUID:
        done: Executed = await self.gateway.services.commands.execute(by, command, key=key)
        return done.operation.subject
