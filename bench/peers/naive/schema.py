"""The part of the gateway's schema that the benchmark asks for, as Strawberry's types and resolvers."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Self
from uuid import UUID

import orjson
import strawberry
from sqlalchemy import func, tuple_
from sqlmodel import col, select
from strawberry.types import Info

from bench.peers.naive.loaders import Context
from bench.peers.naive.tables import BillingAccount, Payment, PaymentMethod, Refund, new_session

LARGEST_PAGE: Final = 100
ORDER: Final = "payments:created_at:DESC"


@strawberry.type
class Money:
    minor: int
    currency: str


@strawberry.type(name="PaymentMethod")
class MethodType:
    id: strawberry.ID
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    is_default: bool

    @classmethod
    def of(cls, method: PaymentMethod) -> Self:
        return cls(
            id=strawberry.ID(f"mth_{method.id.hex}"),
            brand=method.brand,
            last4=method.last4,
            exp_month=method.exp_month,
            exp_year=method.exp_year,
            is_default=method.is_default,
        )


@strawberry.type(name="Refund")
class RefundType:
    id: strawberry.ID
    status: str
    created_at: str
    amount: Money

    @classmethod
    def of(cls, refund: Refund) -> Self:
        return cls(
            id=strawberry.ID(f"rfd_{refund.id.hex}"),
            status=refund.status,
            created_at=instant(refund.created_at),
            amount=Money(minor=refund.amount, currency=refund.currency),
        )


@strawberry.type(name="Payment")
class PaymentType:
    row: strawberry.Private[Payment]
    id: strawberry.ID
    status: str
    description: str | None
    created_at: str
    amount: Money

    @classmethod
    def of(cls, payment: Payment) -> Self:
        return cls(
            row=payment,
            id=strawberry.ID(f"pay_{payment.id.hex}"),
            status=payment.status,
            description=payment.description,
            created_at=instant(payment.created_at),
            amount=Money(minor=payment.amount, currency=payment.currency),
        )

    @strawberry.field
    async def payment_method(self, info: Info[Context]) -> MethodType | None:
        if self.row.payment_method_id is None:
            return None
        method = await info.context.methods.load(self.row.payment_method_id)
        return MethodType.of(method) if method else None

    @strawberry.field
    async def refunds(self, info: Info[Context]) -> list[RefundType]:
        return [RefundType.of(refund) for refund in await info.context.refunds.load(self.row.id)]


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class PaymentConnection:
    nodes: list[PaymentType]
    page_info: PageInfo

    @strawberry.field
    async def total_count(self, info: Info[Context]) -> int:
        async with new_session() as session:
            count = select(func.count()).select_from(Payment).where(Payment.user_id == info.context.user)
            return (await session.exec(count)).one()


async def page(info: Info[Context], first: int | None = None, after: str | None = None) -> PaymentConnection:
    size = min(20 if first is None else first, LARGEST_PAGE)
    wanted = select(Payment).where(Payment.user_id == info.context.user)
    if after:
        wanted = wanted.where(tuple_(col(Payment.created_at), col(Payment.id)) < place_of(after))
    newest = wanted.order_by(col(Payment.created_at).desc(), col(Payment.id).desc()).limit(size + 1)
    async with new_session() as session:
        found = (await session.exec(newest)).all()
    return PaymentConnection(
        nodes=[PaymentType.of(payment) for payment in found[:size]],
        page_info=PageInfo(has_next_page=len(found) > size, end_cursor=cursor(found[:size])),
    )


@strawberry.type(name="BillingAccount")
class AccountType:
    id: strawberry.ID
    payments: PaymentConnection = strawberry.field(resolver=page)

    @strawberry.field
    async def payment_methods(self, info: Info[Context]) -> list[MethodType]:
        wanted = select(PaymentMethod).where(
            PaymentMethod.user_id == info.context.user, col(PaymentMethod.detached_at).is_(None)
        )
        order = [col(PaymentMethod.is_default), col(PaymentMethod.created_at), col(PaymentMethod.id)]
        async with new_session() as session:
            methods = await session.exec(wanted.order_by(*(column.desc() for column in order)))
        return [MethodType.of(method) for method in methods]


@strawberry.type
class Query:
    payments: PaymentConnection = strawberry.field(resolver=page)

    @strawberry.field
    async def viewer(self, info: Info[Context]) -> AccountType | None:
        async with new_session() as session:
            account = await session.get(BillingAccount, info.context.user)
        return AccountType(id=strawberry.ID(f"acc_{account.user_id.hex}")) if account else None

    @strawberry.field
    async def payment(self, info: Info[Context], id: strawberry.ID) -> PaymentType | None:  # noqa: A002 - its name
        wanted = select(Payment).where(
            Payment.id == UUID(hex=id.partition("_")[2]), Payment.user_id == info.context.user
        )
        async with new_session() as session:
            payment = (await session.exec(wanted)).one_or_none()
        return PaymentType.of(payment) if payment else None


def instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def cursor(page: Sequence[Payment]) -> str | None:
    if not page:
        return None
    place = [ORDER, page[-1].created_at.isoformat(), page[-1].id.hex]
    return urlsafe_b64encode(orjson.dumps(place)).rstrip(b"=").decode()


def place_of(cursor: str) -> tuple[datetime, UUID]:
    _, created_at, identity = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return datetime.fromisoformat(created_at), UUID(hex=identity)


schema = strawberry.Schema(Query)
