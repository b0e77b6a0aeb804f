"""Plans, subscriptions, refunds and entitlements as the tests of access need them, and a place to keep them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from domain.access import AccessQuestion, AccessReason, AccessTarget, Entitlement, EntitlementSource
from domain.access_decision import AccessDecision, decide
from domain.account import BillingAccount
from domain.actor import SYSTEM
from domain.audit import AuditRecord
from domain.entitlements import follow_payment, follow_subscription
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.payment_status import PaymentStatus
from domain.plan import BillingInterval, Plan
from domain.ports import Database, Work
from domain.refund import Refund, RefundOrigin, RefundReason, RefundStatus
from domain.rules import Rules
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from tests.domain.values import NOON, OWNER, a_payment

FILM = AccessTarget(media_item_id="film-17")
HD = AccessTarget(feature="hd")
MONTH = timedelta(days=31)
RULES = Rules(grace=timedelta(days=7), renewal_leeway=timedelta(hours=6))


def a_purchase(**known: Any) -> Payment:
    """Film 17, paid for."""
    usual: dict[str, Any] = {
        "status": PaymentStatus.COMPLETED,
        "authorized_amount": 2500,
        "captured_amount": 2500,
        "media_item_id": FILM.media_item_id,
        "completed_at": NOON,
    }
    return a_payment(**{**usual, **known})


def a_refund(payment: Payment, **known: Any) -> Refund:
    """All of it, given back at noon."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "user_id": payment.user_id,
        "payment_id": payment.id,
        "status": RefundStatus.SUCCEEDED,
        "amount": payment.captured_amount,
        "currency": payment.currency,
        "reason": RefundReason.CUSTOMER_REQUEST,
        "origin": RefundOrigin.API,
        "revokes_access": True,
        "created_at": NOON,
        "updated_at": NOON,
    }
    refund = Refund(**{**usual, **known})
    has_time = refund.status is not RefundStatus.SUCCEEDED or refund.succeeded_at
    return refund if has_time else replace(refund, succeeded_at=NOON)


def a_plan(*features: str, **known: Any) -> Plan:
    usual: dict[str, Any] = {
        "id": new_id(),
        "processor_price_id": f"price_{new_id().hex}",
        "processor_product_id": "prod_1",
        "code": "premium",
        "name": "Premium",
        "amount": 999,
        "currency": "EUR",
        "interval": BillingInterval.MONTH,
        "interval_count": 1,
        "features": list(features),
        "active": True,
        "livemode": False,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Plan(**{**usual, **known})


def a_subscription(plan: Plan, **known: Any) -> Subscription:
    """A month from noon on, paid for."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "user_id": OWNER,
        "plan_id": plan.id,
        "status": SubscriptionStatus.ACTIVE,
        "livemode": False,
        "current_period_start": NOON,
        "current_period_end": NOON + MONTH,
        "paid_through": NOON + MONTH,
        "processor_customer_id": "cus_SampleCust0001",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Subscription(**{**usual, **known})


def an_entitlement(reason: AccessReason = AccessReason.GRANTED, **known: Any) -> Entitlement:
    usual: dict[str, Any] = {
        "id": new_id(),
        "user_id": OWNER,
        "source": EntitlementSource.GRANT,
        "reason": reason,
        "media_item_id": FILM.media_item_id,
        "starts_at": NOON,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Entitlement(**{**usual, **known})


@dataclass(frozen=True, kw_only=True)
class Books:
    """Facts go in, and what follows from them is written down as it is in earnest."""

    database: Database

    async def open(self) -> None:
        async with self.database.work() as work:
            account = BillingAccount(user_id=OWNER, created_at=NOON, updated_at=NOON)
            await work.accounts.ensure(account)

    async def pays(self, payment: Payment, *refunds: Refund, at: datetime = NOON) -> None:
        """A payment as it is now, with refunds as they are now."""

        async def write(work: Work) -> None:
            known = await work.payments.lock(payment.id)
            await (work.payments.save(payment) if known else work.payments.add(payment))
            for refund in refunds:
                earlier = await work.refunds.get(refund.id)
                await (work.refunds.save(refund) if earlier else work.refunds.add(refund))
            await follow_payment(work, payment, at=at, by=SYSTEM)

        await self._in_work(write)

    async def offers(self, plan: Plan) -> None:
        async def write(work: Work) -> None:
            if not await work.plans.add(plan):
                await work.plans.save(plan)

        await self._in_work(write)

    async def subscribes(self, subscription: Subscription, *, at: datetime = NOON) -> None:
        """A subscription as it is now."""

        async def write(work: Work) -> None:
            known = await work.subscriptions.lock(subscription.id)
            await (work.subscriptions.save(subscription) if known else work.subscriptions.add(subscription))
            await follow_subscription(work, subscription, at=at, by=SYSTEM)

        await self._in_work(write)

    async def rows(self) -> Sequence[Entitlement]:
        async with self.database.reads() as reads:
            found = await reads.entitlements.of_users([OWNER], owner=None)
        return found.get(OWNER, [])

    async def audit(self, row: Entitlement) -> list[AuditRecord]:
        async with self.database.reads() as reads:
            return list(await reads.audit.of_object(ObjectKind.ENTITLEMENT, row.id))

    async def decision(self, target: AccessTarget, *, at: datetime = NOON) -> AccessDecision:
        question = AccessQuestion(user_id=OWNER, target=target)
        async with self.database.reads() as reads:
            found = await reads.entitlements.answering([question])
        return decide(question, found, rules=RULES, at=at)

    async def reason(self, target: AccessTarget, *, at: datetime = NOON) -> AccessReason:
        return (await self.decision(target, at=at)).reason

    async def _in_work(self, write: Callable[[Work], Awaitable[None]]) -> None:
        async with self.database.work() as work:
            await write(work)
