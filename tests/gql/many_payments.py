"""Payments for lists, written straight into the database."""

from datetime import UTC, datetime
from typing import Any

from domain.account import BillingAccount
from domain.actor import Actor
from domain.identity import new_id
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodType
from domain.payment_status import CaptureMethod, PaymentStatus, PaymentTrigger
from domain.ports import Database
from tests.api import Api

PAGE = """query($first: Int, $after: String, $last: Int, $before: String, $orderBy: [PaymentOrder!],
              $filter: PaymentFilter) {
    payments(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {
        edges { cursor node { id status createdAt amount { minor } } }
        nodes { id }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}"""
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


NUMBER = 7


def payment_of(
    owner: Actor, *, at: datetime, amount: int, number: int, method: PaymentMethod | None = None
) -> Payment:
    is_paid = number % 3 == 0
    return Payment(
        id=new_id(),
        user_id=owner.known_id,
        status=PaymentStatus.COMPLETED if is_paid else PaymentStatus.PENDING,
        trigger=PaymentTrigger.PURCHASE,
        livemode=False,
        amount=amount,
        currency="EUR" if number % 2 else "USD",
        capture_method=CaptureMethod.AUTOMATIC,
        payment_method_id=method.id if method else None,
        processor_customer_id="cus_1",
        created_at=at,
        updated_at=at,
        completed_at=at if is_paid else None,
    )


async def stored(
    database: Database, owner: Actor, payments: list[Payment], methods: list[PaymentMethod] | None = None
) -> None:
    async with database.work() as work:
        await work.accounts.ensure(BillingAccount(user_id=owner.known_id, created_at=START, updated_at=START))
        for method in methods or ():
            await work.payment_methods.add(method)
        for payment in payments:
            await work.payments.add(payment)


def ids(connection: dict[str, Any]) -> list[str]:
    return [node["id"] for node in connection["nodes"]]


def hexes(payments: list[Payment]) -> list[str]:
    return [f"pay_{payment.id.hex}" for payment in payments]


def method_of(owner: Actor, *, name: str, is_default: bool) -> PaymentMethod:
    return PaymentMethod(
        id=new_id(),
        user_id=owner.known_id,
        processor_method_id=name,
        type=PaymentMethodType.CARD,
        last4="4242",
        is_default=is_default,
        created_at=START,
        updated_at=START,
    )


async def page(api: Api, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.run(PAGE, given))["payments"]
    return found
