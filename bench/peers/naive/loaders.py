"""What a request keeps: who asks, and a loader per relation."""

from dataclasses import dataclass
from uuid import UUID

from aiodataloader import DataLoader
from sqlmodel import col, select

from bench.peers.naive.tables import PaymentMethod, Refund, new_session


class MethodLoader(DataLoader[UUID, PaymentMethod | None]):
    def __init__(self, user: UUID) -> None:
        super().__init__()
        self._user = user

    async def batch_load_fn(self, keys: list[UUID]) -> list[PaymentMethod | None]:
        async with new_session() as session:
            wanted = select(PaymentMethod).where(col(PaymentMethod.id).in_(keys))
            rows = await session.exec(wanted.where(PaymentMethod.user_id == self._user))
        found = {method.id: method for method in rows}
        return [found.get(key) for key in keys]


class RefundLoader(DataLoader[UUID, list[Refund]]):
    def __init__(self, user: UUID) -> None:
        super().__init__()
        self._user = user

    async def batch_load_fn(self, keys: list[UUID]) -> list[list[Refund]]:
        async with new_session() as session:
            wanted = select(Refund).where(col(Refund.payment_id).in_(keys), Refund.user_id == self._user)
            rows = await session.exec(wanted.order_by(col(Refund.created_at), col(Refund.id)))
        found: dict[UUID, list[Refund]] = {key: [] for key in keys}
        for refund in rows:
            found[refund.payment_id].append(refund)
        return [found[key] for key in keys]


@dataclass
class Context:
    user: UUID
    methods: MethodLoader
    refunds: RefundLoader
