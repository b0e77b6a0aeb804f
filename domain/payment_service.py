"""What callers may read of payments. What they may do stands in `domain.commands`."""

from asyncio import Semaphore
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from domain.actor import Actor, Role
from domain.errors import Busy
from domain.outcome import NextAction
from domain.paging import Counted, Direction, NumberedPage, Page, Slice, page_of
from domain.patience import in_time
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.payment_status import PaymentStatus
from domain.ports import ALL, Database, PaymentProcessor, Shown

EXPORTERS: Final = frozenset({Role.ADMIN})
EXPORTED_AT_ONCE: Final = 200
"""Payments; others wait for the processor as long as so many take to be written."""
EXPORTS_AT_ONCE: Final = 2
"""Per process, since each holds a connection for as long as its reader takes."""
OLDEST_FIRST: Final = PaymentOrder(direction=Direction.ASC)
AWAITS_THE_APP = frozenset({PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentService:
    database: Database
    processor: PaymentProcessor
    exports: Semaphore = field(default_factory=lambda: Semaphore(EXPORTS_AT_ONCE), repr=False)

    async def page(
        self, actor: Actor, wanted: PaymentFilter, order: PaymentOrder, part: Slice, shown: Shown = ALL
    ) -> Page[Payment]:
        """The caller's own payments; support and admins see everybody's. Raises Forbidden for another's filter."""
        async with self.database.reads(shown) as reads:
            rows = await reads.payments.listed(scoped(actor, wanted), order, part.one_more())
        return page_of(rows, part)

    async def numbered(
        self, actor: Actor, wanted: PaymentFilter, order: PaymentOrder, at: NumberedPage
    ) -> Counted[Payment]:
        """As `page`, for those who count pages."""
        mine = scoped(actor, wanted)
        async with self.database.reads() as reads:
            total = await reads.payments.count(mine)
            items = await reads.payments.numbered(mine, order, at) if at.offset < total else ()
        return Counted(items=items, total=total)

    async def exported(self, actor: Actor, wanted: PaymentFilter) -> AsyncGenerator[Sequence[Payment], None]:
        """
        All that match, as they were at one moment, the oldest first, some at a time. Admins only.

        A connection is held until the last of them was taken, so the iterator must be closed. Raises Busy where
        others hold theirs.
        """
        actor.must_be(EXPORTERS)
        if self.exports.locked():
            raise Busy("Other exports are running.", current="BUSY")
        part = Slice(limit=EXPORTED_AT_ONCE)
        async with self.exports, self.database.snapshot() as reads:
            while rows := await reads.payments.listed(wanted, OLDEST_FIRST, part):
                yield rows
                part = replace(part, start=OLDEST_FIRST.place_of(rows[-1]))

    async def count(self, actor: Actor, wanted: PaymentFilter) -> int:
        async with self.database.reads() as reads:
            return await reads.payments.count(scoped(actor, wanted))

    async def next_action(self, actor: Actor, payment: Payment) -> NextAction | None:
        """
        What the app must do now, asked of the processor; None when nothing is needed.

        Only the payment's owner learns the client secret. Raises ProcessorUnavailable.
        """
        if payment.status not in AWAITS_THE_APP or payment.processor_payment_id is None:
            return None
        action = await in_time(self.processor.next_action(payment))
        return action if action is None or actor.user_id == payment.user_id else NextAction(kind=action.kind)


def scoped(actor: Actor, wanted: PaymentFilter) -> PaymentFilter:
    """The filter, narrowed to what the caller may see."""
    return replace(wanted, owner=actor.narrowed(wanted.owner))
