"""The same, shorter, with the real parts: whatever happens in whatever order, our books are Stripe's books."""

import random
from collections.abc import Awaitable, Callable

import pytest

from domain.errors import DomainError
from domain.money import Money
from domain.payment import Payment
from domain.payment_status import PaymentStatus
from sandbox import Sandbox
from sandbox.api.errors import StripeError
from tests.domain.shopping import Post, Shopper, StripeEvent

STEPS = 25
CARDS = ["pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail"]

Happening = Callable[[], Awaitable[object]]


class Story:
    """One payment of 10.00 EUR, and all that may happen to it."""

    def __init__(
        self, chance: random.Random, payment: Payment, clerk: Shopper, sandbox: Sandbox, post: Post
    ) -> None:
        self.chance, self.payment, self.clerk = chance, payment, clerk
        self.sandbox, self.post = sandbox, post
        self.intent = payment.processor_payment_id or ""
        self.delivered = 0

    async def run(self) -> None:
        happenings = [
            self.refund,
            self.refund,
            self.refund_in_the_dashboard,
            self.decide_a_refund,
            self.dispute,
            self.decide_a_dispute,
            self.hear_of_some,
        ]
        for _ in range(STEPS):
            try:
                await self.chance.choice(happenings)()
            except (DomainError, StripeError):
                continue  # Refused, by us or by the sandbox, which does not stop the story.
            finally:
                await self.is_sound()

    async def end(self) -> None:
        """All news come in, in any order, some of them twice."""
        events = self.post.events()
        again = self.chance.sample(events, k=len(events) // 3)
        late = [{**event, "id": f"{event['id']}_again"} for event in again]
        await self.post.deliver(*self.shuffled([*events, *late]))

    async def is_sound(self) -> None:
        payment = await self.clerk.payment(self.payment.id)
        assert payment.captured_amount >= payment.refunded_amount + payment.refund_pending_amount

    async def refund(self) -> None:
        await self.clerk.gives_back(self.payment, self.chance.choice([None, 100, 300, 600]))

    async def refund_in_the_dashboard(self) -> None:
        self.sandbox.refund(self.intent, amount=self.chance.choice([50, 200]))

    async def decide_a_refund(self) -> None:
        if refunds := list(self.sandbox.objects.all("refund")):
            made = self.chance.choice(refunds)
            self.sandbox.decide_refund(made["id"], self.chance.choice(["succeeded", "failed"]))

    async def dispute(self) -> None:
        if not list(self.sandbox.objects.all("dispute")):
            self.sandbox.dispute(self.intent, amount=400, is_inquiry=self.chance.random() < 0.5)

    async def decide_a_dispute(self) -> None:
        for dispute in self.sandbox.objects.all("dispute"):
            self.sandbox.decide_dispute(dispute["id"], self.chance.choice(["won", "lost", "warning_closed"]))

    async def hear_of_some(self) -> None:
        events = self.post.events()[self.delivered :]
        self.delivered += len(events)
        await self.post.deliver(*self.shuffled(events))

    def shuffled(self, events: list[StripeEvent]) -> list[StripeEvent]:
        return self.chance.sample(events, k=len(events))


class TestAnyStory:
    @pytest.mark.parametrize("seed", range(6))
    async def test_ends_in_the_books_of_stripe(
        self, shopper: Shopper, clerk: Shopper, sandbox: Sandbox, post: Post, seed: int
    ) -> None:
        chance = random.Random(seed)  # noqa: S311
        await shopper.saves(CARDS[seed % len(CARDS)])
        paid = await shopper.pays(Money(minor=1000, currency="EUR"))
        story = Story(chance, paid, clerk, sandbox, post)

        await story.run()
        await story.end()

        payment = await clerk.payment(paid.id)
        [books] = sandbox.ledger()["payment_intents"]
        by_status = {"succeeded": 0, "pending": 0, "failed": 0, "canceled": 0}
        for refund in books["refunds"]:
            by_status[refund["status"]] += refund["amount"]
        taken = [each for each in books["disputes"] if each["status"] in {"needs_response", "lost"}]
        assert payment.captured_amount == books["amount_captured"] == 1000
        assert payment.refunded_amount == by_status["succeeded"]
        assert payment.refund_pending_amount == by_status["pending"]
        assert payment.disputed_amount == sum(each["amount"] for each in taken)
        assert payment.status is implied(payment.refunded_amount)
        known = {refund.processor_refund_id for refund in await clerk.refunds(paid)} - {None}
        assert known == {refund["id"] for refund in books["refunds"]}


def implied(refunded: int) -> PaymentStatus:
    if refunded == 0:
        return PaymentStatus.COMPLETED
    return PaymentStatus.REFUNDED if refunded == 1000 else PaymentStatus.PARTIALLY_REFUNDED
