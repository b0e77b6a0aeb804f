"""Many payments at random, written straight into the database, and the order that they should come in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from random import Random
from typing import Final

from domain.account import BillingAccount
from domain.actor import Actor
from domain.identity import new_id
from domain.payment import Payment
from domain.payment_status import COLLECTED, CaptureMethod, PaymentStatus, PaymentTrigger
from domain.ports import Database

START: Final = datetime(2026, 3, 1, tzinfo=UTC)


def random_payments(seed: int, owner: Actor, number: int) -> list[Payment]:
    """Few different times, amounts and states, so that ids decide often."""
    random = Random(seed)  # noqa: S311 - the same ones for each run.
    return [_payment(random, owner) for _ in range(number)]


def _payment(random: Random, owner: Actor) -> Payment:
    status, amount = random.choice(list(PaymentStatus)), random.randint(1, 5) * 100
    at = START + timedelta(hours=random.randint(0, 60))
    captured = amount if status in COLLECTED else 0
    refunded = {PaymentStatus.REFUNDED: amount, PaymentStatus.PARTIALLY_REFUNDED: 50}.get(status, 0)
    payment = Payment(
        id=new_id(),
        user_id=owner.known_id,
        status=status,
        trigger=PaymentTrigger.PURCHASE,
        livemode=False,
        amount=amount,
        currency="EUR",
        authorized_amount=captured,
        captured_amount=captured,
        refunded_amount=refunded,
        capture_method=CaptureMethod.AUTOMATIC,
        processor_customer_id="cus_1",
        decline_code="generic_decline" if status is PaymentStatus.FAILED else None,
        created_at=at,
        updated_at=at + timedelta(minutes=random.randint(0, 2)),
    )
    return replace(payment, completed_at=at) if captured else payment


async def stored(database: Database, payments: Sequence[Payment]) -> None:
    async with database.work() as work:
        for user_id in {payment.user_id for payment in payments}:
            await work.accounts.ensure(BillingAccount(user_id=user_id, created_at=START, updated_at=START))
        for payment in payments:
            await work.payments.add(payment)


def in_order(payments: Sequence[Payment], by: str, *, is_descending: bool) -> list[str]:
    """Their ids; equals are told apart by id."""
    return [str(each.id) for each in sorted(payments, key=attrgetter(by, "id"), reverse=is_descending)]
