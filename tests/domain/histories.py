"""Random lives of payments, refunds, disputes and subscriptions, recorded as the gateway records them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from domain.actor import SYSTEM
from domain.decline import Decline
from domain.dispute import Dispute, DisputeFacts, DisputeStatus
from domain.identity import new_id
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_method import MethodSnapshot, PaymentMethodType
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.plan import BillingInterval, Plan
from domain.ports import RecountableDatabase, Work
from domain.refund import Refund, RefundFacts, RefundOrigin, RefundReason, RefundStatus, RefundSums
from domain.settlement import record_payment, settle
from domain.statistics.recording import count_dispute, count_payment, count_refund, count_subscription
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from tests.domain.values import OWNER, a_payment

START: Final = datetime(2026, 3, 20, 23, 40, tzinfo=UTC)
"""Clocks are moved in Europe nine days later, and in Chile and on Lord Howe two weeks later."""
SPAN: Final = timedelta(days=20)
CURRENCIES: Final = ("EUR", "USD", "JPY")
CARDS: Final = (("visa", "DE"), ("visa", "IN"), ("amex", "US"), (None, None))
CATEGORIES: Final = {
    "insufficient_funds": "INSUFFICIENT_FUNDS",
    "expired_card": "CARD_EXPIRED",
    "stolen_card": "LOST_OR_STOLEN",
    "generic_decline": "GENERIC",
}
S, P = SubscriptionStatus, PaymentStatus
NEXT: Final[dict[SubscriptionStatus, list[SubscriptionStatus]]] = {
    S.INCOMPLETE: [S.ACTIVE, S.EXPIRED],
    S.TRIALING: [S.ACTIVE, S.CANCELLED, S.PAST_DUE],
    S.ACTIVE: [S.PAST_DUE, S.PAUSED, S.CANCELLED, S.ACTIVE],
    S.PAST_DUE: [S.ACTIVE, S.UNPAID, S.CANCELLED],
    S.UNPAID: [S.ACTIVE, S.CANCELLED],
    S.PAUSED: [S.ACTIVE, S.CANCELLED],
    S.CANCELLED: [],
    S.EXPIRED: [],
}


@dataclass(frozen=True, kw_only=True)
class Chronicle:
    """Everything happens in transactions of its own, in the order of nothing but chance."""

    database: RecountableDatabase
    random: Random
    plans: list[Plan]

    async def write(self, payments: int, subscriptions: int) -> None:
        for _ in range(payments):
            await self.payment()
        for _ in range(subscriptions):
            await self.subscription()

    def moments(self, number: int) -> list[datetime]:
        """In order, somewhere in the span; some on the very border of two quarters."""
        whole = sorted(self.random.random() for _ in range(number))
        found = [START + SPAN * each for each in whole]
        return [
            each.replace(minute=15, second=0, microsecond=0) if each.second < 6 else each for each in found
        ]

    async def payment(self) -> None:
        made_at, *later = self.moments(5)
        amount = self.random.randint(100, 99_999)
        payment = a_payment(
            amount=amount,
            currency=self.random.choice(CURRENCIES),
            trigger=self.random.choice(list(PaymentTrigger)),
            plan_id=self.random.choice([None, *(plan.id for plan in self.plans)]),
            created_at=made_at,
            updated_at=made_at,
        )
        async with self.database.work() as work:
            await work.payments.add(payment)
            await count_payment(work, None, payment)
        for number, at in enumerate(later):
            payment = await self.attempt(payment, number, at=at)
            if payment.is_collected:
                await self.give_back(payment, after=at)
                return

    async def attempt(self, payment: Payment, number: int, *, at: datetime) -> Payment:
        brand, country = self.random.choice(CARDS)
        snapshot = MethodSnapshot(type=PaymentMethodType.CARD, brand=brand, country=country)
        status = self.random.choice([P.FAILED, P.FAILED, P.PROCESSING, P.COMPLETED, P.CANCELLED])
        outcome = Outcome(
            status=status,
            charge_id=self.random.choice([f"ch_{payment.id}_{number}", None]),
            snapshot=self.random.choice([snapshot, None]),
            decline=Decline(code=self.random.choice(list(CATEGORIES))) if status is P.FAILED else None,
            authorized_amount=payment.amount if status is P.COMPLETED else 0,
            captured_amount=self.random.choice([payment.amount, 99]) if status is P.COMPLETED else 0,
        )
        async with self.database.work() as work:
            after = await settle(work, payment.id, outcome, at=at, by=SYSTEM)
            again = await settle(work, payment.id, outcome, at=at + timedelta(hours=1), by=SYSTEM)
            assert again == after
            if after.status is P.FAILED and self.random.random() < 0.6:
                tried = replace(
                    after.reopened(method_id=None, processor_method_id=None, at=at),
                    trigger=self.random.choice([PaymentTrigger.DUNNING_RETRY, PaymentTrigger.PURCHASE]),
                )
                await record_payment(work, after, tried, action="payment.confirming", at=at, by=SYSTEM)
                after = tried
        return after

    async def give_back(self, payment: Payment, *, after: datetime) -> None:
        at = after + (START + SPAN - after) * self.random.random()
        chance = self.random.random()
        async with self.database.work() as work:
            if chance < 0.4:
                await self.refund(work, payment, at=at)
            elif chance < 0.6:
                await self.dispute(work, payment, at=at)
            if self.random.random() < 0.5:
                late = Outcome(
                    status=P.COMPLETED,
                    charge_id=payment.processor_charge_id or "ch_late",
                    snapshot=MethodSnapshot(type=PaymentMethodType.CARD, brand="mastercard", country="CL"),
                )
                await settle(work, payment.id, late, at=at, by=SYSTEM)

    async def refund(self, work: Work, payment: Payment, *, at: datetime) -> None:
        refund = Refund(
            id=new_id(),
            user_id=OWNER,
            payment_id=payment.id,
            status=RefundStatus.PENDING,
            amount=self.random.randint(1, payment.captured_amount),
            currency=payment.currency,
            reason=RefundReason.GOODWILL,
            origin=RefundOrigin.API,
            revokes_access=False,
            created_at=at,
            updated_at=at,
        )
        await work.refunds.add(refund)
        await count_refund(work, None, refund)
        for status in self.random.choice(
            [
                [],
                [RefundStatus.SUCCEEDED],
                [RefundStatus.SUCCEEDED, RefundStatus.FAILED],
                [RefundStatus.FAILED],
            ]
        ):
            told = refund.settle(
                RefundFacts(
                    processor_payment_id="pi_1",
                    processor_refund_id=f"re_{refund.id}",
                    status=status,
                    amount=refund.amount,
                    currency=refund.currency,
                    reason=refund.reason,
                ),
                at=at,
            )
            await work.refunds.save(told)
            await count_refund(work, refund, told)
            refund = told
        sums: RefundSums = await work.refunds.sums(payment.id)
        before = await work.payments.lock(payment.id)
        assert before is not None
        refunded = before.with_refunds(sums, at=at)
        await record_payment(work, before, refunded, action="payment.refunded", at=at, by=SYSTEM)

    async def dispute(self, work: Work, payment: Payment, *, at: datetime) -> None:
        dispute = Dispute(
            id=new_id(),
            user_id=OWNER,
            payment_id=payment.id,
            status=self.random.choice([DisputeStatus.INQUIRY, DisputeStatus.NEEDS_RESPONSE]),
            amount=payment.captured_amount,
            currency=payment.currency,
            reason="fraudulent",
            processor_dispute_id=f"dp_{payment.id}",
            created_at=at,
            updated_at=at,
        )
        await work.disputes.add(dispute)
        await count_dispute(work, None, dispute)
        told = dispute.settle(
            DisputeFacts(
                processor_dispute_id=dispute.processor_dispute_id,
                status=self.random.choice(list(DisputeStatus)),
                amount=self.random.choice([dispute.amount, dispute.amount // 2]),
                currency=dispute.currency,
                reason=dispute.reason,
            ),
            at=at + timedelta(days=1),
        )
        await work.disputes.save(told)
        await count_dispute(work, dispute, told)

    async def subscription(self) -> None:
        made_at, *later = self.moments(6)
        before = Subscription(
            id=new_id(),
            user_id=OWNER,
            plan_id=self.random.choice(self.plans).id,
            status=self.random.choice([S.INCOMPLETE, S.TRIALING, S.ACTIVE]),
            livemode=False,
            is_surplus=True,
            current_period_start=made_at,
            current_period_end=made_at + timedelta(days=30),
            processor_customer_id="cus_SampleCust0001",
            created_at=made_at,
            updated_at=made_at,
        )
        async with self.database.work() as work:
            await work.subscriptions.add(before)
            await count_subscription(work, None, before)
        for at in later:
            if not NEXT[before.status]:
                return
            before = await self.step(before, at=at)

    async def step(self, before: Subscription, *, at: datetime) -> Subscription:
        status = self.random.choice(NEXT[before.status])
        changes: dict[str, Any] = {"status": status}
        if status is before.status:
            changes["plan_id"] = self.random.choice(self.plans).id
        if status in {S.CANCELLED, S.EXPIRED}:
            changes["ended_at"] = at - timedelta(seconds=1)
        after = before.changed(at=at, **changes)
        async with self.database.work() as work:
            await work.subscriptions.save(after)
            await count_subscription(work, before, after)
        return after


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a history, not a secret


def a_plan(**known: Any) -> Plan:
    """9.99 EUR a month, unless said otherwise."""
    identity: UUID = new_id()
    usual: dict[str, Any] = {
        "id": identity,
        "processor_price_id": f"price_{identity}",
        "processor_product_id": "prod_1",
        "code": "basic",
        "name": "Basic",
        "amount": 999,
        "currency": "EUR",
        "interval": BillingInterval.MONTH,
        "interval_count": 1,
        "active": True,
        "livemode": False,
        "created_at": START,
        "updated_at": START,
    }
    return Plan(**{**usual, **known})
