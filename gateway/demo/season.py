"""
A season of the demo's shop, lived through on the sandbox's clock: customers buy, subscribe, are refused and dispute.

The same every time, since its chance is seeded. Every command carries a fixed idempotency key.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Any, Final
from uuid import UUID

from domain.actor import Actor
from domain.command_service import Executed
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.command import Command
from domain.commands.create_payment import CreatePayment
from domain.commands.refunds import RefundPayment
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.commands.subscriptions.ending import CancelSubscription
from domain.commands.subscriptions.pausing import PauseSubscription
from domain.money import Money
from domain.operation import OperationState
from domain.plan import Plan
from domain.refund import RefundReason
from domain.subscription import CancelReason, CancelTiming
from gateway.demo.catalogue import FILMS, Film
from gateway.demo.people import ADMIN, customer
from gateway.wiring import Gateway
from sandbox import Sandbox

CaughtUp = Callable[[], Awaitable[object]]
"""Returns when everything that has happened at the processor is known here too."""

STEP: Final = timedelta(days=5)
CUSTOMERS: Final = 24
PURCHASES_PER_STEP: Final = 3
AT_ONCE: Final = 4
CARDS: Final = (
    *("pm_card_visa",) * 5,
    *("pm_card_mastercard",) * 3,
    "pm_card_amex",
    "pm_card_chargeCustomerFail",
)
DISPUTING: Final = ("pm_card_createDispute", "pm_card_createDisputeInquiry")


@dataclass(frozen=True, kw_only=True)
class Season:
    gateway: Gateway
    sandbox: Sandbox
    plans: dict[str, Plan]
    caught_up: CaughtUp
    chance: random.Random = field(default_factory=lambda: random.Random(2026))  # noqa: S311

    async def live_until(self, rest: timedelta) -> None:
        """Up to a moment that is so long before the present, step by step; not at all where that is over."""
        if self.behind < rest.total_seconds():
            return
        await self._in_turns([self._saves_card(number) for number in range(CUSTOMERS)])
        while self.behind > rest.total_seconds():
            await self._step(min(STEP.total_seconds(), self.behind - rest.total_seconds()))

    async def live_on(self, rest: timedelta) -> None:
        """The rest of the season, or that time alone where the sandbox is in the present already."""
        if self.behind == 0:
            self.sandbox.advance(rest.total_seconds())
            await self.caught_up()
            return
        while self.behind > 0:
            await self._step(min(STEP.total_seconds(), self.behind))
        await self.caught_up()
        await self._in_turns(self._business(0))

    async def _step(self, seconds: float) -> None:
        await self._in_turns(self._business(self.steps_left))
        self.sandbox.advance(seconds)
        await self.caught_up()

    @property
    def steps_left(self) -> int:
        return ceil(self.behind / STEP.total_seconds())

    @property
    def behind(self) -> float:
        """Seconds to the present."""
        return max(0.0, -self.sandbox.clock.status().ahead)

    async def _in_turns(self, doings: Sequence[Awaitable[object]]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def turn(doing: Awaitable[object]) -> None:
            async with gate:
                await doing

        await asyncio.gather(*map(turn, doings))

    def _business(self, step: int) -> list[Awaitable[object]]:
        """What customers do in these days, which are so many steps before the present."""
        doings: list[Awaitable[object]] = [
            self._buys(self._purchase(step, number)) for number in range(PURCHASES_PER_STEP + step % 2)
        ]
        doings += [
            self._subscribes(number, subscriber)
            for number, subscriber in enumerate(SUBSCRIBERS)
            if subscriber.begins == step
        ]
        return doings

    def _purchase(self, step: int, number: int) -> "Purchase":
        """Drawn before anything runs, so that who is faster changes nothing."""
        return Purchase(
            key=f"demo-season-{step}-{number}",
            buyer=customer(self.chance.randrange(CUSTOMERS)),
            film=self.chance.choice(FILMS),
            disputing_card=self.chance.choice(DISPUTING) if (step * 7 + number) % 17 == 5 else None,
            refunded=self.chance.choice([*[0] * 14, 1, 2]),
        )

    async def _saves_card(self, number: int) -> None:
        card = AddPaymentMethod(processor_method_id=CARDS[number % len(CARDS)], makes_default=True)
        await self._does(customer(number), card, f"demo-card-{number}")

    async def _buys(self, purchase: "Purchase") -> None:
        method = None
        if purchase.disputing_card is not None:
            card = AddPaymentMethod(processor_method_id=purchase.disputing_card)
            method = (await self._does(purchase.buyer, card, f"{purchase.key}-card")).operation.subject
        bought = CreatePayment(
            amount=purchase.film.price,
            description=purchase.film.title,
            media_item_id=purchase.film.media_item_id,
            payment_method_id=method,
        )
        paid = await self._does(purchase.buyer, bought, purchase.key)
        if purchase.refunded and paid.operation.state is OperationState.SUCCEEDED and method is None:
            await self._is_refunded(paid.operation.subject, purchase)

    async def _is_refunded(self, payment_id: UUID, purchase: "Purchase") -> None:
        price = purchase.film.price
        part = (
            Money(minor=price.minor // 200 * 100, currency=price.currency) if purchase.refunded == 2 else None
        )
        refund = RefundPayment(
            payment_id=payment_id, amount=part, reason=RefundReason.CUSTOMER_REQUEST, note="Asked by e-mail."
        )
        await self._does(ADMIN, refund, f"{purchase.key}-refund")

    async def _subscribes(self, number: int, subscriber: "Subscriber") -> None:
        actor, key = customer(50 + number), f"demo-subscriber-{number}"
        card = AddPaymentMethod(processor_method_id=subscriber.card, makes_default=True)
        saved = await self._does(actor, card, f"{key}-card")
        subscription = CreateSubscription(
            plan_id=self.plans[subscriber.plan].id, uses_trial=subscriber.uses_trial
        )
        begun = await self._does(actor, subscription, key)
        if subscriber.is_spoilt:
            await self._spoil(saved.operation.subject)
        for ordinal, act in enumerate(subscriber.then):
            await self._does(actor, act(begun.operation.subject), f"{key}-{ordinal}")

    async def _spoil(self, method_id: UUID) -> None:
        """The bank declines the card from now on."""
        async with self.gateway.services.database.reads() as reads:
            method = await reads.payment_methods.get(method_id)
        if method is not None:
            self.sandbox.spoil_card(method.processor_method_id, "insufficient_funds")

    async def _does(self, actor: Actor, command: Command[Any, Any], key: str) -> Executed:
        return await self.gateway.services.commands.execute(actor, command, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """`refunded` is 0 for not at all, 1 for all of it, 2 for about half."""

    key: str
    buyer: Actor
    film: Film
    disputing_card: str | None
    refunded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """
    `begins` is how many steps before the present they subscribe, `then` what they do at once.

    A spoilt card pays once and never again. Of each card there is one trial, so most do without.
    """

    plan: str
    begins: int
    card: str = "pm_card_visa"
    uses_trial: bool = False
    is_spoilt: bool = False
    then: tuple[Callable[[UUID], Command[Any, Any]], ...] = ()


def pauses(subscription_id: UUID) -> PauseSubscription:
    return PauseSubscription(subscription_id=subscription_id)


def leaves(subscription_id: UUID) -> CancelSubscription:
    return CancelSubscription(
        subscription_id=subscription_id, timing=CancelTiming.PERIOD_END, reason=CancelReason.UNUSED
    )


def leaves_at_once(subscription_id: UUID) -> CancelSubscription:
    return CancelSubscription(
        subscription_id=subscription_id, timing=CancelTiming.NOW, reason=CancelReason.TOO_EXPENSIVE
    )


GUARDED: Final = "pm_card_authenticationRequired"
SUBSCRIBERS: Final = (
    *(
        Subscriber(plan=plan, begins=18 - place)
        for place, plan in enumerate(["basic", "plus", "premium"] * 4)
    ),
    Subscriber(plan="plus-yearly", begins=17),
    Subscriber(plan="plus-usd", begins=16, card="pm_card_mastercard"),
    Subscriber(plan="plus", begins=2, uses_trial=True),  # in its trial
    Subscriber(plan="plus", begins=7, is_spoilt=True),  # its first renewal is being retried
    Subscriber(plan="plus", begins=13, is_spoilt=True),  # its renewal was never paid
    Subscriber(plan="basic", begins=0, card=GUARDED),  # waits for 3-D Secure
    Subscriber(plan="basic", begins=11, card=GUARDED),  # never came back from 3-D Secure
    Subscriber(plan="basic", begins=3, then=(pauses,)),
    Subscriber(plan="premium", begins=3, then=(leaves,)),
    Subscriber(plan="premium", begins=4, then=(leaves_at_once,)),
    Subscriber(plan="basic", begins=14, then=(leaves,)),  # has ended meanwhile
)
