"""
A ledger in memory, for tests that try out more stories than a database could hold.

It keeps what settlement needs and nothing more; nothing in it waits, so that its coroutines need no event loop.
"""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from domain.audit import AuditRecord
from domain.dispute import Dispute
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.ports import Work
from domain.refund import Refund, RefundStatus, RefundSums
from domain.statistics.facts import Delta

T = TypeVar("T")


class Thing(Protocol):
    @property
    def id(self) -> UUID: ...


E = TypeVar("E", bound=Thing)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What it comes to, at once."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    raise AssertionError("Something waited for the outside.")


@dataclass(kw_only=True)
class Shelf:
    """Rows by id."""

    rows: dict[UUID, Any] = field(default_factory=dict)

    async def get(self, identity: UUID) -> Any:
        return self.rows.get(identity)

    lock = get

    async def add(self, row: Any) -> bool:
        self.rows[row.id] = row
        return True

    save = add

    def of_payment(self, payment_id: UUID) -> list[Any]:
        return [row for row in self.rows.values() if row.payment_id == payment_id]

    async def of_payments(
        self, payment_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Any]]:
        return {payment_id: self.of_payment(payment_id) for payment_id in payment_ids}

    def id_where(self, name: str, value: str) -> UUID | None:
        return next((row.id for row in self.rows.values() if getattr(row, name) == value), None)


class Payments(Shelf):
    async def known_as(self, processor_payment_id: str) -> UUID | None:
        return self.id_where("processor_payment_id", processor_payment_id)


class Refunds(Shelf):
    async def known_as(self, processor_refund_id: str) -> UUID | None:
        return self.id_where("processor_refund_id", processor_refund_id)

    async def sums(self, payment_id: UUID) -> RefundSums:
        refunds: list[Refund] = self.of_payment(payment_id)
        return RefundSums(
            refunded=sum(each.amount for each in refunds if each.status is RefundStatus.SUCCEEDED),
            pending=sum(each.amount for each in refunds if each.status is RefundStatus.PENDING),
        )


class Disputes(Shelf):
    async def known_as(self, processor_dispute_id: str) -> UUID | None:
        return self.id_where("processor_dispute_id", processor_dispute_id)

    async def held_amount(self, payment_id: UUID) -> int:
        disputes: list[Dispute] = self.of_payment(payment_id)
        return sum(each.amount for each in disputes if each.holds_money)


class Methods(Shelf):
    async def known_as(self, processor_method_id: str) -> UUID | None:
        return None


class Trail:
    async def add(self, record: AuditRecord) -> None:
        return None

    async def of_object(self, kind: ObjectKind, object_id: UUID) -> Sequence[AuditRecord]:
        return []


class Counts:
    async def append(self, deltas: Sequence[Delta]) -> None:
        return None


class Ledger:
    """One payment, with all that was given back and disputed of it."""

    def __init__(self, payment: Payment) -> None:
        self.payments, self.refunds, self.disputes = Payments(), Refunds(), Disputes()
        self.payment_methods, self.audit, self.statistics = Methods(), Trail(), Counts()
        self.payments.rows[payment.id] = payment
        self._payment_id = payment.id

    @property
    def work(self) -> Work:
        return cast("Work", self)

    @property
    def payment(self) -> Payment:
        payment: Payment = self.payments.rows[self._payment_id]
        return payment

    @property
    def all_refunds(self) -> list[Refund]:
        return list(self.refunds.rows.values())

    @property
    def all_disputes(self) -> list[Dispute]:
        return list(self.disputes.rows.values())


def is_sound(payment: Payment) -> bool:
    """What the checks of the table insist on."""
    left = payment.captured_amount - payment.refunded_amount
    return (
        0 <= payment.captured_amount <= payment.authorized_amount <= payment.amount
        and 0 <= payment.refunded_amount <= payment.captured_amount
        and 0 <= payment.refund_pending_amount <= left
        and payment.is_collected == (payment.completed_at is not None)
    )
